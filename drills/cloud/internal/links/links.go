// Package links knows which Regions reach each other and how long a round trip
// takes. It is the only network that the emulated services have between them.
package links

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Links is a full mesh of Regions whose links can be cut. Three of them form
// the quorum of strongly consistent tables. It is safe for concurrent use.
type Links struct {
	quorum  []dr.Region
	latency func(a, b dr.Region) time.Duration

	mu       sync.Mutex
	down     map[[2]dr.Region]bool
	isolated map[dr.Region]time.Time // since when a Region reaches no other of the quorum
	changed  chan struct{}           // closed at the next change

	timers sync.Pool // of Sleep: a timer stays in the bubble it was made in, as Links does
}

// New returns a mesh with every link up. quorum are the Regions that Nearest
// and IsolatedSince are about; latency is the round trip between two Regions.
func New(quorum []dr.Region, latency func(a, b dr.Region) time.Duration) *Links {
	return &Links{
		quorum:   slices.Clone(quorum),
		latency:  latency,
		down:     map[[2]dr.Region]bool{},
		isolated: map[dr.Region]time.Time{},
		changed:  make(chan struct{}),
	}
}

func pair(a, b dr.Region) [2]dr.Region {
	if a > b {
		a, b = b, a
	}
	return [2]dr.Region{a, b}
}

// Set cuts or restores the link between two Regions, in both directions.
func (l *Links) Set(a, b dr.Region, up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a == b || l.down[pair(a, b)] == !up {
		return
	}
	if up {
		delete(l.down, pair(a, b))
	} else {
		l.down[pair(a, b)] = true
	}
	for _, r := range []dr.Region{a, b} {
		_, was := l.isolated[r]
		peer, _ := l.nearest(r)
		switch is := peer == ""; {
		case is && !was:
			l.isolated[r] = time.Now()
		case !is:
			delete(l.isolated, r)
		}
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// Up reports whether two Regions reach each other. A Region reaches itself.
func (l *Links) Up(a, b dr.Region) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.down[pair(a, b)]
}

// Nearest returns the Region of the quorum that r reaches with the shortest
// round trip. While it reaches none it returns a channel instead, which is
// closed when any link next changes.
func (l *Links) Nearest(r dr.Region) (peer dr.Region, rtt time.Duration, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if peer, rtt = l.nearest(r); peer == "" {
		return "", 0, l.changed
	}
	return peer, rtt, nil
}

func (l *Links) nearest(r dr.Region) (best dr.Region, rtt time.Duration) {
	for _, other := range l.quorum {
		if other == r || l.down[pair(r, other)] {
			continue
		}
		if d := l.latency(r, other); best == "" || d < rtt {
			best, rtt = other, d
		}
	}
	return best, rtt
}

// IsolatedSince returns when r lost its last link to the quorum, if it has
// none.
func (l *Links) IsolatedSince(r dr.Region) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.isolated[r]
	return t, ok
}

// Changed returns a channel that is closed when any link next changes. Take it
// before looking at a link, or a change in between goes unseen.
func (l *Links) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Wait returns when a reaches b, or when ctx ends.
func (l *Links) Wait(ctx context.Context, a, b dr.Region) error {
	for {
		changed := l.Changed()
		if l.Up(a, b) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Sleep waits for d or until ctx ends. No lock is held.
func (l *Links) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t, ok := l.timers.Get().(*time.Timer)
	if ok {
		t.Reset(d)
	} else {
		t = time.NewTimer(d)
	}
	defer l.timers.Put(t)
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		t.Stop()
		return ctx.Err()
	}
}
