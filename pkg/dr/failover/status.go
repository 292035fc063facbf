package failover

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Facts are what a status is made of. What could not be read is nil or empty.
type Facts struct {
	Region    dr.Region // whose status it is
	Lease     *Lease
	Unchanged time.Duration // how long the lease has been silent, at least
	Latest    *Entry        // the journal's
	Readiness *Readiness    // the local Region's control plane and server
	Verdict   *health.Verdict
	At        time.Time
}

// Status is how things stand, for people. It is read-only: making one changes nothing.
type Status struct {
	At     time.Time `json:"at"`
	Region dr.Region `json:"region"`
	// The writer, as each source reports it; empty when it is not known.
	ByControlPlane dr.Region `json:"writer_by_control_plane,omitempty"`
	MovingTo       dr.Region `json:"moving_to,omitempty"`
	ByLease        dr.Region `json:"writer_by_lease,omitempty"`
	OwnServer      Role      `json:"own_server,omitempty"` // the role that the local Region's server reports
	// Agree is set when all that is known of the writer is the same.
	Agree bool `json:"agree"`

	Epoch    dr.Epoch `json:"epoch,omitempty"`
	Silent   string   `json:"lease_silent_for,omitempty"`
	Verdict  string   `json:"verdict,omitempty"`
	Missing  []string `json:"missing,omitempty"` // what keeps the verdict from acting
	Lag      string   `json:"lag,omitempty"`     // empty when it is not known, which is never zero
	LagAge   string   `json:"lag_age,omitempty"`
	NotReady string   `json:"not_ready,omitempty"` // why the local Region can't be promoted now

	Execution string   `json:"execution,omitempty"` // the newest
	Mode      Mode     `json:"mode,omitempty"`
	State     State    `json:"state"`
	WaitsFor  string   `json:"waits_for,omitempty"`
	Question  string   `json:"question,omitempty"` // that is open, in words
	Answer    *Answer  `json:"answer,omitempty"`   // its form
	WayOut    *Answer  `json:"way_out,omitempty"`  // what ends the execution instead
	Owed      []Notice `json:"owed,omitempty"`     // what people have not been told yet
	Paused    string   `json:"paused,omitempty"`
}

// waits says what an execution in a state waits for.
var waits = map[State]string{
	Confirmed: "the next epoch", EpochTaken: "a proof that the old writer is fenced", Fenced: "the gate", LossAccepted: "the promotion",
	Promoted: "a committed write on the new writer", Verified: "a write through the clients' endpoint", Redirected: "the announcement",
	Returning: "the old Region's monitor and the next epoch", AwaitingApproval: "a person",
}

// NewStatus says how things stand. It is pure.
func NewStatus(p dr.Policy, t dr.Topology, f Facts) Status {
	s := Status{At: f.At, Region: f.Region, State: Steady, Agree: true}
	var writers []dr.Region
	if f.Lease != nil {
		s.ByLease, s.Epoch, s.Silent = f.Lease.Holder, f.Lease.Epoch, f.Unchanged.String()
		writers = append(writers, s.ByLease)
	}
	if r := f.Readiness; r != nil {
		if r.ClusterKnown {
			s.ByControlPlane, s.MovingTo = r.Cluster.Writer, r.Cluster.MovingTo
			writers = append(writers, s.ByControlPlane)
		}
		s.OwnServer = r.Role
		if r.Role == RoleWriter {
			writers = append(writers, f.Region)
		}
		if ready, why := r.Ready(); !ready {
			s.NotReady = why
		}
	}
	for _, w := range writers {
		s.Agree = s.Agree && w == writers[0] && !(w == f.Region && s.OwnServer == RoleSecondary)
	}
	if f.Verdict != nil {
		e := Explain(p, t, *f.Verdict, 0)
		s.Verdict, s.Missing = string(f.Verdict.State), e.Missing
		if l := f.Verdict.Lag; l != nil {
			s.Lag, s.LagAge = l.Value.String(), max(0, f.At.Sub(l.At)).Round(time.Millisecond).String()
		}
	}
	if f.Latest == nil {
		return s
	}
	x := f.Latest.Execution
	s.Execution, s.Mode, s.State, s.WaitsFor, s.Owed = x.ID, x.Mode, x.State, waits[x.State], x.Owed
	if a, ok := x.AnswerForm(); ok {
		s.Question, s.Answer = string(x.Code)+": "+x.Detail, &a
	}
	if a, ok := x.WayOut(); ok && x.State != Steady {
		s.WayOut = &a
	}
	if x.Pause.Active(f.At) {
		s.Paused = pausedWhy(x.Pause)
	}
	return s
}
