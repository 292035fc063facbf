package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// State is what is thought of a Region.
type State uint8

// The states of a Region. The zero value never authorises an action.
const (
	StateUnknown State = iota // too little is known
	Healthy                   // the Region serves writes
	Degraded                  // something is dark, but not enough to act
	Impaired                  // proven dark: the writer may be moved
)

// String returns the state's name.
func (s State) String() string {
	return [...]string{"Unknown", "Healthy", "Degraded", "Impaired"}[s]
}

// Verdict is the conclusion about a Region and everything it rests on.
type Verdict struct {
	Subject   dr.Region
	State     State
	At        time.Time
	DarkSince time.Time   // first sample of the dark evidence; zero when none
	Dark      []Family    // dark for Confirm consecutive samples
	Suspect   []Family    // dark in the latest sample, not yet for Confirm
	Vantages  []dr.Region // that agree on what is dark
	Serving   bool        // fresh proof that the Region still serves writes
	// Samples counts, by family, the consecutive samples with the latest answer.
	Samples map[Family]int
	// GraceUntil is set while the Region is left to heal its own writer.
	GraceUntil time.Time
	// MonitorDiedFirst is set when the writer's monitor went silent while the
	// writer still served: then an expired lease proves no fence.
	MonitorDiedFirst bool
	// Lag is the newest RPO lag from before the writer stopped serving, LagAge its
	// age at that moment; nil when none was seen. A stream that broke long before
	// the writer did is old by as much: what came between is not in the lag.
	Lag    *Lag
	LagAge time.Duration
	// Missing lists what keeps the verdict from Impaired, in words.
	Missing      []string
	Observations []Observation // of the latest sample, after void answers were dropped
}

// Why sums the verdict up in one line.
func (v Verdict) Why() string {
	var parts []string
	for _, o := range v.Observations {
		if o.Answer == Dead {
			parts = append(parts, fmt.Sprintf("%s dead from %s (%s)", o.Family, o.Vantage, o.Cause))
		}
	}
	if v.Serving {
		parts = append(parts, "still serves writes")
	}
	if len(v.Missing) > 0 {
		parts = append(parts, "missing: "+strings.Join(v.Missing, ", "))
	}
	return strings.Join(parts, "; ")
}

// Evaluate judges a window at an instant under a policy, defaults applied. It is
// pure. Answers older than two probe intervals are void; a vantage that failed
// its own check has its Dead turned into Unknown. What [Window.Refuses] names does not
// count at all, neither dark nor alive: observations about another Region, of an unknown
// family, of a vantage that can't have made them, from the future. A window without a
// subject, or whose vantage is its subject, is StateUnknown.
//
// In the latest sample Evaluate always needs an answer of the families SQL and Heartbeat:
// without them it is not known whether writes are served, and no other evidence makes up
// for that. Rounds are taken by their time, whatever their order; an observation that is
// there twice counts once.
//
// Impaired needs two families dark for Confirm consecutive samples, or silent
// without a break for as long as those samples span, one of them
// on the data plane, MinVantages vantages, no fresh proof that writes are served,
// and no grace for a writer that its own Region can heal.
func Evaluate(p dr.Policy, w Window, now time.Time) Verdict {
	p = p.WithDefaults()
	v := Verdict{Subject: w.Subject, At: now}
	if why := w.unfit(); why != "" {
		v.Missing = []string{why}
		return v
	}
	rounds := w.counted(2*p.ProbeInterval, now)
	if len(rounds) == 0 || now.Sub(rounds[len(rounds)-1].At) > 2*p.ProbeInterval {
		v.Missing = []string{"a fresh sample"}
		return v
	}
	latest := rounds[len(rounds)-1]
	v.Observations = latest.Observations
	v.Serving = latest.serving()

	v.Samples = make(map[Family]int)
	for _, f := range families {
		v.Samples[f] = samples(rounds, f)
	}
	first := make(map[Family]int) // index of the first round of each dark streak
	for _, f := range families {
		i := streak(rounds, f, 2*p.ProbeInterval)
		if i == len(rounds) {
			continue
		}
		first[f] = i
		// A silence that was watched without a break counts as the samples that it
		// spans, even if it began between two of them.
		spans := latest.darkFor(f) >= time.Duration(p.Confirm-1)*p.ProbeInterval
		if len(rounds)-i >= p.Confirm || spans {
			v.Dark = append(v.Dark, f)
		} else {
			v.Suspect = append(v.Suspect, f)
		}
	}
	for i, f := range append(slices.Clone(v.Dark), v.Suspect...) {
		at := rounds[first[f]].At
		if watched := latest.At.Add(-latest.darkFor(f)); watched.Before(at) {
			at = watched
		}
		if i == 0 || at.Before(v.DarkSince) {
			v.DarkSince = at
		}
	}
	v.Vantages = vantages(latest, v.Dark)
	v.MonitorDiedFirst = monitorDiedFirst(rounds)
	stopped := stoppedServing(rounds, v.DarkSince)
	v.Lag, v.LagAge = lagBefore(rounds, stopped)

	v.Missing = missing(p, v, latest, now)
	if until := graceUntil(p, stopped, latest); until.After(now) {
		v.GraceUntil = until
		v.Missing = append(v.Missing, fmt.Sprintf("end of the in-Region grace in %v", until.Sub(now).Round(time.Millisecond)))
	}
	switch {
	case len(v.Missing) == 0:
		v.State = Impaired
	case len(v.Dark)+len(v.Suspect) > 0:
		v.State = Degraded
	case v.Serving:
		v.State = Healthy
	}
	return v
}

var families = []Family{SQL, Heartbeat, Control, Replication, Witness}

// streak returns the index of the first round from which on f is Dead without a
// break; len(rounds) when the latest round does not say Dead. Two rounds further
// apart than maxGap are not consecutive: a process that was stopped in between saw
// nothing.
func streak(rounds []Round, f Family, maxGap time.Duration) int {
	i := len(rounds)
	for i > 0 && rounds[i-1].Answer(f) == Dead {
		if i < len(rounds) && rounds[i].At.Sub(rounds[i-1].At) > maxGap {
			break
		}
		i--
	}
	return i
}

// serving reports whether any family that shows served writes proves them.
func (r Round) serving() bool {
	return slices.ContainsFunc(families, func(f Family) bool { return f.DataPlane() && r.Answer(f) == Alive })
}

// stoppedServing returns when the writer was last proven to serve, or when the
// evidence went dark if that was later or nothing proved it; zero when nothing is
// dark.
func stoppedServing(rounds []Round, dark time.Time) time.Time {
	if dark.IsZero() {
		return dark
	}
	for _, r := range slices.Backward(rounds) {
		if !r.serving() {
			continue
		}
		for _, o := range r.Observations {
			if o.Answer == Alive && o.Family.DataPlane() && o.At.After(dark) {
				dark = o.At
			}
		}
		break
	}
	return dark
}

// samples counts the latest rounds that agree about f.
func samples(rounds []Round, f Family) int {
	n := 1
	for n < len(rounds) && rounds[len(rounds)-1-n].Answer(f) == rounds[len(rounds)-1].Answer(f) {
		n++
	}
	return n
}

// darkFor returns the longest silence that an observation of f proves by itself.
func (r Round) darkFor(f Family) time.Duration {
	var longest time.Duration
	for _, o := range r.Observations {
		if o.Family == f && o.Answer == Dead {
			longest = max(longest, o.DarkFor)
		}
	}
	return longest
}

func vantages(latest Round, dark []Family) []dr.Region {
	var seen []dr.Region
	for _, o := range latest.Observations {
		if o.Answer == Dead && slices.Contains(dark, o.Family) && !slices.Contains(seen, o.Vantage) {
			seen = append(seen, o.Vantage)
		}
	}
	slices.Sort(seen)
	return seen
}

func missing(p dr.Policy, v Verdict, latest Round, now time.Time) []string {
	var m []string
	if len(v.Dark) < 2 {
		m = append(m, fmt.Sprintf("two dark families (have %d)", len(v.Dark)))
	}
	if !slices.ContainsFunc(v.Dark, Family.DataPlane) {
		m = append(m, "a dark family on the data plane")
	}
	if len(v.Vantages) < p.MinVantages {
		m = append(m, fmt.Sprintf("%d vantages (have %d)", p.MinVantages, len(v.Vantages)))
	}
	if v.Serving {
		m = append(m, "an end of the proof that writes are served")
	}
	// Serving is an absence of proof too: without an answer of the families that
	// could bring it, the Region may still serve.
	for _, f := range []Family{SQL, Heartbeat} {
		if latest.Answer(f) == Unknown {
			m = append(m, fmt.Sprintf("an answer of family %s", f))
		}
	}
	return m
}

// graceUntil returns when a writer that its own Region can heal has had its time.
func graceUntil(p dr.Policy, stopped time.Time, latest Round) time.Time {
	if stopped.IsZero() {
		return time.Time{}
	}
	answers, others := false, 0
	for _, o := range latest.Observations {
		answers = answers || o.RegionAnswers
		others = max(others, o.OtherInstances)
	}
	if !answers || others == 0 {
		return time.Time{}
	}
	return stopped.Add(p.InRegionGrace)
}

// monitorDiedFirst reports whether, since the lease was last seen alive, it was
// silent in a round in which the writer still committed a write. A round without an
// answer in between changes nothing: it does not bring the monitor back.
func monitorDiedFirst(rounds []Round) bool {
	if len(rounds) == 0 || rounds[len(rounds)-1].Answer(Heartbeat) == Alive {
		return false
	}
	for _, r := range slices.Backward(rounds) {
		switch r.Answer(Heartbeat) {
		case Alive:
			return false
		case Dead:
			if r.Answer(SQL) == Alive && !r.monitorWorks() {
				return true
			}
		}
	}
	return false
}

// monitorWorks reports whether anything in this round shows that the monitor of the Region
// works.
func (r Round) monitorWorks() bool {
	return slices.ContainsFunc(r.Observations, func(o Observation) bool { return o.MonitorWorks })
}

func lagBefore(rounds []Round, stopped time.Time) (*Lag, time.Duration) {
	var newest *Lag
	for _, r := range rounds {
		for _, o := range r.Observations {
			if o.Lag == nil || (!stopped.IsZero() && o.Lag.At.After(stopped)) {
				continue
			}
			if newest == nil || o.Lag.At.After(newest.At) {
				newest = o.Lag
			}
		}
	}
	if newest == nil || stopped.IsZero() {
		return newest, 0
	}
	return newest, stopped.Sub(newest.At)
}
