package dr

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// limits holds what a duration of a policy may be by itself, and why.
type limits struct {
	name        string
	value       time.Duration
	least, most time.Duration
	low, high   string // what a value outside would do
}

func (p Policy) limits() []limits {
	const ms, s = time.Millisecond, time.Second
	return []limits{
		{"Objectives.RTO", p.Objectives.RTO, s, time.Hour, "no failover is so quick", "slower is no automatic failover"},
		{"Objectives.RPO", p.Objectives.RPO, 10 * ms, 5 * time.Minute, "replication is never without lag", "a replica so far behind serves no failover"},
		{"Objectives.OwnShare", p.Objectives.OwnShare, ms, time.Hour, "nothing is done in no time", "slower is no automatic failover"},
		{"ProbeInterval", p.ProbeInterval, 500 * ms, 30 * s, "probes would load what they measure", "a fault would be seen too late for any RTO"},
		{"ProbeTimeout", p.ProbeTimeout, 100 * ms, 30 * s, "a healthy Region far away needs as long to answer", "a silent Region would delay the next sample"},
		{"InRegionGrace", p.InRegionGrace, ms, 5 * time.Minute, "Aurora heals nothing in no time", "writes fail meanwhile"},
		{"ControlInterval", p.ControlInterval, 500 * ms, 5 * time.Minute, "RDS throttles the account", "the instance that a guard may have to restart must be known"},
		{"LeaseTTL", p.LeaseTTL, s, time.Minute, "a renewal crosses Regions, and a fence takes time", "for so long a writer that is cut off acknowledges what is then lost"},
		{"LeaseMargin", p.LeaseMargin, ms, time.Minute, "fencing takes time", "the writer would be fenced too early"},
		{"LeaseDrift", p.LeaseDrift, ms, time.Minute, "clocks differ in rate", "no clock is so wrong"},
		{"RenewInterval", p.RenewInterval, 50 * ms, 15 * s, "each renewal is a write that is paid for", "one lost call stops writes"},
		{"ObserveInterval", p.ObserveInterval, 20 * ms, 15 * s, "each look is a read that is paid for", "the fence proof would come too late"},
		{"MaxDataLoss", p.MaxDataLoss, 10 * ms, 5 * time.Minute, "no write arrives in another Region sooner, so each failover would ask", "a replica so far behind serves no failover"},
		{"MaxLagAge", p.MaxLagAge, 500 * ms, time.Minute, "the lag is read once per sample, and each failover would ask", "what was written since the lag was read is not in it"},
		{"CallTimeout", p.CallTimeout, 100 * ms, 10 * s, "a healthy service far away needs as long to answer", "a dead service would use up the RTO"},
		{"PollInterval", p.PollInterval, 10 * ms, 10 * s, "each look is a call", "a promotion would be seen too late"},
		{"EffectTimeout", p.EffectTimeout, s, time.Hour, "a step needs several tries", "a person must hear of a step that does not succeed"},
		{"EndpointTTL", p.EndpointTTL, ms, 5 * time.Minute, "each client would ask for every connection", "clients write to the old endpoint for as long"},
		{"FailoverWindow", p.FailoverWindow, s, 168 * time.Hour, "a failover would be forgotten before it is done", "the budget must come back"},
	}
}

const maxClusters = 10_000 // keeps the sums small; RDSCalls says what fits

// Validate reports everything that is wrong with the policy at once, defaults
// applied. A policy that passes can meet its own share of the RTO, and can act.
func (p Policy) Validate() error { return errors.Join(p.problems()...) }

func (p Policy) problems() (errs []error) {
	p = p.WithDefaults()
	refused := make(map[string]bool) // by field
	wraps := false                   // a value is so large, or negative, that sums may overflow
	refuse := func(bad bool, field, format string, args ...any) {
		if bad {
			refused[field] = true
			errs = append(errs, fmt.Errorf("dr: policy: "+field+" "+format, args...))
		}
	}
	// between refuses a pair whose values may each be fine by itself.
	between := func(bad bool, field, other, format string, args ...any) {
		refuse(bad && !refused[field] && !refused[other], field, format, args...)
	}
	for _, l := range p.limits() {
		wraps = wraps || l.value < 0 || l.value > l.most
		switch {
		case l.value < 0:
			refuse(true, l.name, "%v is negative: give a positive duration, or 0 for the default", l.value)
		case l.value < l.least:
			refuse(true, l.name, "%v is below %v: %s", l.value, l.least, l.low)
		case l.value > l.most:
			refuse(true, l.name, "%v is above %v: %s", l.value, l.most, l.high)
		}
	}
	refuse(p.Confirm < 2, "Confirm", "%d is below 2: one sample can't tell a lost packet from a lost Region", p.Confirm)
	refuse(p.Confirm > 10, "Confirm", "%d is above 10: more samples prove no more and take time", p.Confirm)
	refuse(p.MinVantages < 2, "MinVantages", "%d is below 2: one vantage can't tell a dead Region from its own broken link", p.MinVantages)
	refuse(p.MinVantages > 3, "MinVantages", "%d is above 3: there are no more than the other member, the lease store and the witness, so nothing would ever fail over", p.MinVantages)
	refuse(*p.MaxFailovers < 0, "MaxFailovers", "%d is negative: give 0 for none, or leave it out for the default", *p.MaxFailovers)
	refuse(*p.MaxFailovers > 24, "MaxFailovers", "%d is above 24: a budget that is never used up stops no flapping", *p.MaxFailovers)
	refuse(p.Clusters < 1, "Clusters", "%d is below 1: this database is one", p.Clusters)
	refuse(p.Clusters > maxClusters, "Clusters", "%d is above %d: no account holds so many", p.Clusters, maxClusters)
	refuse(!slices.Contains([]Preset{PresetFast, PresetNormal, PresetCautious}, p.Preset), "Preset", "%q is unknown: use %q, %q or %q", p.Preset, PresetFast, PresetNormal, PresetCautious)
	refuse(p.Automatic != AutomaticAlways && p.Automatic != AutomaticNever, "Automatic", "%q is unknown: use %q or %q", p.Automatic, AutomaticAlways, AutomaticNever)
	refuse(p.NoWitness != AskOperator && p.NoWitness != TrustExpiry, "NoWitness", "%q is unknown: use %q or %q", p.NoWitness, AskOperator, TrustExpiry)

	between(p.ProbeTimeout >= p.ProbeInterval, "ProbeTimeout", "ProbeInterval", "%v must be below ProbeInterval %v, or a silent Region delays the next sample", p.ProbeTimeout, p.ProbeInterval)
	between(p.InRegionGrace > p.Objectives.RTO, "InRegionGrace", "Objectives.RTO", "%v is above Objectives.RTO %v: writes fail meanwhile", p.InRegionGrace, p.Objectives.RTO)
	between(p.ControlInterval < p.ProbeInterval, "ControlInterval", "ProbeInterval", "%v is below ProbeInterval %v: a sample asks once at most", p.ControlInterval, p.ProbeInterval)
	between(p.LeaseMargin >= p.LeaseTTL, "LeaseMargin", "LeaseTTL", "%v must be below LeaseTTL %v, or the writer would fence itself at once", p.LeaseMargin, p.LeaseTTL)
	between(p.LeaseMargin > p.LeaseTTL/2, "LeaseMargin", "LeaseTTL", "%v must be at most half of LeaseTTL %v: two renewals must fit before the fence", p.LeaseMargin, p.LeaseTTL)
	between(p.LeaseMargin < p.LeaseTTL/10, "LeaseMargin", "LeaseTTL", "%v must be at least a tenth of LeaseTTL %v: fencing takes time", p.LeaseMargin, p.LeaseTTL)
	between(p.LeaseDrift < p.LeaseTTL/500, "LeaseDrift", "LeaseTTL", "%v must be at least LeaseTTL %v / 500: two clocks may differ by as much", p.LeaseDrift, p.LeaseTTL)
	between(p.LeaseDrift > p.LeaseTTL, "LeaseDrift", "LeaseTTL", "%v must be at most LeaseTTL %v: no clock is so wrong", p.LeaseDrift, p.LeaseTTL)
	between(p.RenewInterval > p.LeaseTTL/4, "RenewInterval", "LeaseTTL", "%v must be at most a quarter of LeaseTTL %v, or one lost call stops writes", p.RenewInterval, p.LeaseTTL)
	between(p.ObserveInterval > p.LeaseTTL/4, "ObserveInterval", "LeaseTTL", "%v must be at most a quarter of LeaseTTL %v", p.ObserveInterval, p.LeaseTTL)
	between(p.CallTimeout >= p.LeaseTTL, "CallTimeout", "LeaseTTL", "%v must be below LeaseTTL %v: a call that outlives the lease decides nothing", p.CallTimeout, p.LeaseTTL)
	between(p.MaxDataLoss > p.Objectives.RPO, "MaxDataLoss", "Objectives.RPO", "%v is above Objectives.RPO %v: a failover would lose, unasked, what the objective promises; raise Objectives.RPO if that is meant", p.MaxDataLoss, p.Objectives.RPO)
	between(p.MaxLagAge < p.ProbeInterval, "MaxLagAge", "ProbeInterval", "%v is below ProbeInterval %v: the lag is read once per sample, so each failover would ask", p.MaxLagAge, p.ProbeInterval)
	between(p.RPOGuard && p.MaxDataLoss < 600*time.Millisecond, "RPOGuard", "MaxDataLoss", "needs MaxDataLoss of at least 600ms, got %v: two samples a round trip apart must fit", p.MaxDataLoss)
	between(p.FailoverWindow < p.Objectives.RTO, "FailoverWindow", "Objectives.RTO", "%v is below Objectives.RTO %v: a failover would be forgotten before it is done", p.FailoverWindow, p.Objectives.RTO)
	between(p.Objectives.OwnShare > p.Objectives.RTO, "Objectives.OwnShare", "Objectives.RTO", "%v is above Objectives.RTO %v: nothing is left for Aurora's promotion", p.Objectives.OwnShare, p.Objectives.RTO)
	if wraps || p.Confirm > 10_000 {
		return errs
	}
	runOut := p.LeaseTTL + p.LeaseDrift + p.ObserveInterval
	between(p.EffectTimeout <= runOut, "EffectTimeout", "LeaseTTL", "%v must be above %v: until then the lease has not run out, and each failover would ask", p.EffectTimeout, runOut)
	least := max(2*time.Second, 2*p.RenewInterval)
	between(p.Watchdog && p.WatchdogAfter() < least, "Watchdog", "LeaseTTL", "would fire %v after the last heartbeat, which needs %v at least: raise LeaseTTL %v or lower RenewInterval %v",
		p.WatchdogAfter(), least, p.LeaseTTL, p.RenewInterval)
	calls := p.RDSCalls()
	between(p.Clusters > calls.Room, "Clusters", "ControlInterval", "%d is above %d, for which RDS answers one account (%s): raise ControlInterval %v or ProbeInterval %v, or use another account",
		p.Clusters, calls.Room, calls, p.ControlInterval, p.ProbeInterval)
	b := p.Budget()
	after := b.AfterGrace(p)
	between(p.InRegionGrace+after > p.Objectives.RTO, "InRegionGrace", "Objectives.RTO", "%v and the %v of what follows it are %v above Objectives.RTO %v: writes fail meanwhile, and nothing is left for Aurora's promotion; lower it or raise Objectives.RTO",
		p.InRegionGrace, after, p.InRegionGrace+after-p.Objectives.RTO, p.Objectives.RTO)
	if over := b.Own() - p.Objectives.OwnShare; over > 0 {
		worst := b.Longest()
		errs = append(errs, fmt.Errorf("dr: policy: worst case %v is %v over the share of %v (%s): %s alone takes %v; shorten it or raise Objectives.OwnShare",
			b.Own(), over, p.Objectives.OwnShare, b, worst.Name, worst.Worst))
	}
	return errs
}

// ValidateFor is Validate, and reports what the policy asks of a topology that the
// topology can't give.
func (p Policy) ValidateFor(t Topology) error {
	errs := p.problems()
	p = p.WithDefaults()
	// The writer's Region is no vantage of its own, and the lease store is one.
	if have := len(t.Vantages()); p.MinVantages <= 3 && p.MinVantages > have {
		errs = append(errs, fmt.Errorf("dr: policy: MinVantages %d is above the %d vantages of the topology, so nothing would ever fail over: lower it or add a witness", p.MinVantages, have))
	}
	return errors.Join(errs...)
}
