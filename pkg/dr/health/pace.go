package health

import (
	"context"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Suspicious tells a prober whose questions are dear, such as one of an API that throttles
// its account, whether its answer is needed in this sample: the data plane does not answer,
// or did not in the last sample, or the last verdict was not Healthy. It waits until that is
// known, for a third of the sample's deadline at most, so that the first dark sample already
// has a fresh answer. Outside a [Monitor]'s sample every answer is needed.
func Suspicious(ctx context.Context) bool {
	l, ok := ctx.Value(lookKey{}).(*look)
	return !ok || l.wait(ctx)
}

type lookKey struct{}

// look is what is known, while a sample is being taken, of whether the data plane answers.
type look struct {
	self dr.Region
	need []Family // of the data plane, that answered in the last sample; nil when there was none
	all  int      // probers

	mu       sync.Mutex
	round    Round // what has been answered so far
	returned int
	waiting  int
	decided  bool
	dark     bool
	known    chan struct{}
}

// newLook begins a look; suspicious says that the answer is known already.
func newLook(self dr.Region, last *Round, probers int, suspicious bool) *look {
	l := &look{self: self, all: probers, known: make(chan struct{})}
	if last != nil {
		seen := l.own(last.Observations)
		for _, f := range families {
			if f.DataPlane() && seen.Answer(f) == Alive {
				l.need = append(l.need, f)
			}
		}
	}
	if suspicious {
		l.decide(true)
	}
	return l
}

// own leaves out what other Regions have reported: it is older.
func (l *look) own(all []Observation) (r Round) {
	for _, o := range all {
		if o.Vantage == l.self || o.Vantage == Store {
			r.Observations = append(r.Observations, o)
		}
	}
	return r
}

// answers reports whether what answered in the last sample has answered again, or
// anything of the data plane when there was none.
func (l *look) answers() bool {
	for _, f := range l.need {
		if l.round.Answer(f) != Alive {
			return false
		}
	}
	return len(l.need) > 0 || l.round.serving()
}

// decide ends the wait. The lock must be held, or l not be shared yet.
func (l *look) decide(dark bool) {
	if !l.decided {
		l.decided, l.dark = true, dark
		close(l.known)
	}
}

// step decides when enough is known. The lock must be held.
func (l *look) step() {
	switch {
	case l.answers():
		l.decide(false)
	case l.returned+l.waiting == l.all:
		l.decide(true) // probers that have not returned yet wait for this
	}
}

// got adds what a prober has answered.
func (l *look) got(o []Observation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.returned++
	l.round.Observations = append(l.round.Observations, l.own(o).Observations...)
	l.step()
}

func (l *look) wait(ctx context.Context) bool {
	l.mu.Lock()
	l.waiting++
	l.step()
	l.mu.Unlock()
	select {
	case <-l.known:
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	l.decide(true)
	return l.dark
}

// hasten decides after a third of the sample's deadline: a healthy writer has answered by
// then, and an API that is asked now still has the rest.
func (l *look) hasten(p dr.Policy) (stop func() bool) {
	return time.AfterFunc(p.ProbeTimeout/3, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.decide(true)
	}).Stop
}
