package guard

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// Instant is a moment on the guard's own monotonic clock. See [lease.Instant].
type Instant = lease.Instant

// Never is so long ago that every time has passed since.
const Never = lease.Never

const never = Never

// Rules are what a guard goes by: the times of a policy, and what its driver can do.
type Rules struct {
	Region dr.Region
	// Valid is how long a grant keeps the writer open, LeaseTTL - LeaseMargin; TTL and Drift
	// are the lease's.
	Valid, TTL, Drift time.Duration
	// Renew is the time between two heartbeat writes, each with a renewal behind it. Resend
	// is how long a call may be without an answer before the next one is sent beside it.
	Renew, Resend time.Duration
	// Look is the time between two looks at a server that must stay closed, Poll between two
	// trials of what must succeed.
	Look, Poll time.Duration
	// FenceCall and ControlCall are the deadlines of a fence by SQL and of a call to the
	// control plane.
	FenceCall, ControlCall time.Duration
	// RPO: the lag is guarded. RPOLimit is how old the newest write known to have arrived may
	// become, RPOGood how young the first one must be that arms the guard.
	RPO               bool
	RPOLimit, RPOGood time.Duration
	// Watchdog: the server watches over itself. Keeper: the driver can check and remove that.
	Watchdog, Keeper bool
	// Peer: the driver can read the other member's promises. Roles: it can ask the server
	// whether it is the writer. Releases: it can give the lease back.
	// Plane: it can ask the Region's control plane where the writer is.
	Peer, Roles, Releases, Plane bool
	// Behind is how long a guard stays behind at most when its process has handed over.
	Behind time.Duration
}

// NewRules returns the rules of a policy for a Region's guard, defaults applied. What the
// driver can do is for it to fill in.
func NewRules(region dr.Region, p dr.Policy) Rules {
	p = p.WithDefaults()
	return Rules{
		Region: region, Valid: p.LeaseTTL - p.LeaseMargin, TTL: p.LeaseTTL, Drift: p.LeaseDrift,
		Renew: p.RenewInterval, Resend: p.GuardTimeout(), Look: p.ProbeInterval, Poll: p.PollInterval,
		FenceCall: p.LeaseMargin / 3, ControlCall: p.CallTimeout,
		RPO: p.RPOGuard, RPOLimit: p.MaxDataLoss * 3 / 4, RPOGood: p.MaxDataLoss / 2, Watchdog: p.Watchdog,
		Behind: BehindTime(p),
	}
}

// BehindTime is how long a guard stays behind at most when the store answers, and so how
// long before its deadline a process must stop. A Region that was lost in part before that
// is confirmed and its epoch taken within this time, which the guard still sees. Of one
// that is lost later it is known that its monitor went first:
// health.Verdict.MonitorDiedFirst.
func BehindTime(p dr.Policy) time.Duration {
	p = p.WithDefaults()
	return p.LeaseTTL + p.LeaseDrift + time.Duration(p.Confirm+1)*p.ProbeInterval + p.LeaseMargin
}

// lookForPromise is the time between two looks at the peer's promise. With beatPace and the
// peer's own pace (promiseEvery) it renews the peer's grant before it has run out when it is
// the only one: a heartbeat write waits for the peer's look, the promise for the guard's, and
// the next one must come in time. Under Watchdog a grant must be younger than three renewals
// when a write is sent, or that one goes to another row.
func (r *Rules) lookForPromise() time.Duration {
	if r.Watchdog {
		return min(r.Renew/2, r.Valid/5)
	}
	return min(r.Renew, r.Valid/5)
}

// beatPace is the time between two heartbeat writes at most, while renewals hang.
func (r *Rules) beatPace() time.Duration {
	if r.Watchdog {
		return min(r.Renew, r.Valid/5)
	}
	return r.Valid / 5
}

// The paces that no policy sets.
const (
	// behindLook is the time between two looks at the lease of a guard that stays behind.
	behindLook = 200 * time.Millisecond
	// lateRenewals is how often one renewal that got no answer may be carried out yet: a
	// store's client may have sent it several times.
	lateRenewals = 5
	// The RPO guard samples the lag four times a second, against heartbeat writes that are
	// fine enough to tell a lag of a second from one of half a second.
	rpoSample = 250 * time.Millisecond
	rpoBeat   = 125 * time.Millisecond
	// watchdogCheck is how often a watchdog that was installed is looked at.
	watchdogCheck = 10 * time.Second
	// maxTrials bounds how often in a row a server is opened that then commits nothing.
	// After that it is tried once in two TTLs, which leaves the others time to see the lease
	// silent.
	maxTrials = 3
	// isolateTries is how often a writer must have resisted before its guard reports that it
	// can neither fence it nor cut it off.
	isolateTries = 3
	// planeTries is how often the control plane is asked in vain where the writer is, before a
	// writer is opened without its answer: it may not answer for hours.
	planeTries = 3
	// mostBeats is how many heartbeat writes of the keeping kind are under way at once.
	mostBeats = 5
)
