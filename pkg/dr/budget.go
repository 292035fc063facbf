package dr

import (
	"fmt"
	"strings"
	"time"
)

// Phase is one part of a recovery, in the words of every report.
type Phase string

// The phases of a recovery, in order. PhasePromote is Aurora's own and has no
// bound; the rest is Lifeboat's share.
const (
	PhaseDetect   Phase = "detect"
	PhaseDecide   Phase = "decide"
	PhaseFence    Phase = "fence"
	PhasePromote  Phase = "promote"
	PhaseRedirect Phase = "redirect"
	PhaseVerify   Phase = "verify"
)

// Spend is the worst case of one phase.
type Spend struct {
	Name  Phase
	Worst time.Duration
	Why   string
}

// Budget is the worst case of a recovery under a policy, phase by phase. Aurora's
// promotion is not in it: AWS gives no bound, so it is measured instead.
type Budget struct {
	Phases []Spend
	// PartitionWindow is how long a writer that is cut off with its clients may go
	// on acknowledging writes that are then lost: the time until it is read-only.
	PartitionWindow time.Duration
	// CrashLoss is the largest replication lag that a failover accepts unasked.
	CrashLoss time.Duration
}

// Budget adds up the worst case of every phase, defaults applied.
func (p Policy) Budget() Budget {
	p = p.WithDefaults()
	// The fault lands right after a sample, its last renewal is seen late, and the
	// last sample ends at its deadline.
	detect := time.Duration(p.Confirm)*p.ProbeInterval + p.ObserveInterval + p.ProbeTimeout
	why := fmt.Sprintf("%d samples every %v, the last one silent", p.Confirm, p.ProbeInterval)
	// Or the lease takes longer to be silent: seen a look late, told a look late, and
	// asked for by a sample that had just begun.
	if silent := p.SilentAfter() + 2*p.ObserveInterval + p.ProbeInterval + p.ProbeTimeout; silent > detect {
		detect, why = silent, fmt.Sprintf("a lease silent for %v, seen every %v, told to a sample every %v", p.SilentAfter(), p.ObserveInterval, p.ProbeInterval)
	}
	// The lease runs since its last renewal, so most of it passes during detection.
	proof := p.ObserveInterval + p.LeaseTTL + p.LeaseDrift
	fence := max(0, proof-detect)
	window := p.LeaseTTL
	if p.RPOGuard {
		window = min(window, p.MaxDataLoss)
	}
	return Budget{
		Phases: []Spend{
			{PhaseDetect, detect, why},
			{PhaseDecide, p.CallTimeout, "one call to the lease store"},
			{PhaseFence, fence, fmt.Sprintf("what is left of lease %v + drift %v", p.LeaseTTL, p.LeaseDrift)},
			{PhasePromote, p.CallTimeout, "one call to RDS; Aurora's own time is measured, not bounded"},
			{PhaseRedirect, p.EndpointTTL, "the endpoint's TTL"},
			{PhaseVerify, p.PollInterval + p.CallTimeout, "one committed write"},
		},
		PartitionWindow: window,
		CrashLoss:       p.MaxDataLoss,
	}
}

// Own returns the sum of all phases: what Lifeboat itself may add to an outage.
func (b Budget) Own() time.Duration {
	var sum time.Duration
	for _, s := range b.Phases {
		sum += s.Worst
	}
	return sum
}

// AfterGrace returns what a failover takes once InRegionGrace has ended, Aurora's promotion
// apart. Detection runs inside the grace, which counts from the first sample without a writer,
// and so does most of the fence: the old lease runs out meanwhile.
func (b Budget) AfterGrace(p Policy) time.Duration {
	var before, after time.Duration
	for _, s := range b.Phases {
		switch s.Name {
		case PhaseDetect, PhaseFence:
			before += s.Worst
		default:
			after += s.Worst
		}
	}
	return after + max(0, before-p.WithDefaults().InRegionGrace)
}

// Longest returns the phase with the largest worst case.
func (b Budget) Longest() Spend {
	var longest Spend
	for _, s := range b.Phases {
		if s.Worst > longest.Worst {
			longest = s
		}
	}
	return longest
}

// String prints the phases with their worst case, and both kinds of loss.
func (b Budget) String() string {
	parts := make([]string, 0, len(b.Phases)+2)
	for _, s := range b.Phases {
		parts = append(parts, fmt.Sprintf("%s %v", s.Name, s.Worst))
	}
	parts = append(parts, fmt.Sprintf("crash loss <= %v", b.CrashLoss), fmt.Sprintf("partition window <= %v", b.PartitionWindow))
	return strings.Join(parts, ", ")
}
