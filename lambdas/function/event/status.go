package event

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Situation says how things stand, as the trigger of one Region sees them. What could not be
// told is named in Unknown, with the reason, and left out elsewhere.
type Situation struct {
	// Region is the one whose trigger answers, Cluster the global cluster.
	Region  dr.Region `json:"region"`
	Cluster string    `json:"global_cluster"`
	// Writer is where the writer is, by each of those who know.
	Writer Writer `json:"writer"`
	// Monitors are the Regions' health monitors, in the order of the topology.
	Monitors []Monitor `json:"monitors,omitempty"`
	// Lag is the newest replication lag that a monitor has seen.
	Lag *Lag `json:"lag,omitempty"`
	// Verdict is what the reports say of the writer's Region.
	Verdict *Verdict `json:"verdict,omitempty"`
	// Execution is the newest one.
	Execution *Execution `json:"execution,omitempty"`
	// Question is the open one.
	Question *Question `json:"question,omitempty"`
	// Pause is the one that is in force.
	Pause *PauseUntil `json:"pause,omitempty"`
	// Unknown names what could not be told, and why.
	Unknown []string `json:"unknown,omitempty"`
}

// Writer is where the writer is.
type Writer struct {
	ControlPlane *ControlPlane `json:"control_plane,omitempty"`
	Servers      []Server      `json:"servers,omitempty"`
	Lease        *Lease        `json:"lease,omitempty"`
	// Agree is "yes" when the control plane and the lease name the same Region and the local
	// server does not say otherwise, "no" when what is known differs, and "unknown" when the
	// control plane or the lease doesn't answer.
	Agree string `json:"agree"`
}

// ControlPlane is what RDS says.
type ControlPlane struct {
	Region   dr.Region `json:"region,omitempty"` // of the writer; empty for none
	MovingTo dr.Region `json:"moving_to,omitempty"`
	Status   string    `json:"status"`
}

// Server is what was last seen of a member's database: by the other Regions' monitors, of
// the lease holder's, and by the trigger that answers, of its own Region's, which was asked
// now. What the other Region's server takes itself for, its own trigger's status has.
type Server struct {
	Region dr.Region `json:"region"`
	// Role is what the server takes itself for; empty when it was not asked for that, or
	// does not answer.
	Role   failover.Role `json:"role,omitempty"`
	Says   string        `json:"says"`
	SeenBy dr.Region     `json:"seen_by"`
	Age    Took          `json:"age"`
}

// Lease is the right to accept writes.
type Lease struct {
	Holder dr.Region `json:"holder"`
	Epoch  dr.Epoch  `json:"epoch"`
	// Released says that the holder has given it back: it lets no server accept writes.
	Released bool `json:"released,omitempty"`
	// SilentFor is how long it has not been renewed, as far as a monitor has seen.
	SilentFor Took `json:"silent_for"`
	// UnservedFor is for about how long it has been renewed without a committed write behind
	// it: its monitor lives, and its server may not serve.
	UnservedFor Took `json:"unserved_for,omitempty"`
	// Expired says that it has run out by that.
	Expired bool `json:"expired,omitempty"`
}

// Monitor is a Region's health monitor.
type Monitor struct {
	Region  dr.Region `json:"region"`
	Reports bool      `json:"reports"` // it has reported while the status was asked
	Age     Took      `json:"age"`     // of its newest report, by the two Regions' clocks
}

// Lag is a replication lag.
type Lag struct {
	Value  Took      `json:"value"`
	Age    Took      `json:"age"`
	SeenBy dr.Region `json:"seen_by"`
}

// Verdict is what is thought of the writer's Region.
type Verdict struct {
	Subject  dr.Region     `json:"subject"`
	State    string        `json:"state"`
	Would    bool          `json:"would_fail_over"`
	Question failover.Code `json:"would_ask,omitempty"`
	Missing  []string      `json:"missing,omitempty"`
}

// Execution is an execution and what it waits for.
type Execution struct {
	ID       string         `json:"id"`
	Mode     failover.Mode  `json:"mode"`
	From     dr.Region      `json:"from"`
	To       dr.Region      `json:"to"`
	Epoch    dr.Epoch       `json:"epoch"`
	State    failover.State `json:"state"`
	Code     failover.Code  `json:"code,omitempty"`
	Detail   string         `json:"detail,omitempty"`
	Since    time.Time      `json:"since"` // by the clock of the Region that wrote it
	WaitsFor string         `json:"waits_for,omitempty"`
	// Driven says that an invocation of this Region's trigger works on it.
	Driven bool `json:"driven,omitempty"`
}

// Question is what a person is asked.
type Question struct {
	Code failover.Code `json:"code"`
	Asks string        `json:"asks"`
	// Consent is what the answer does, in the words of the message that asks.
	Consent string `json:"consent"`
	// Call is the Region whose trigger takes the answer.
	Call   dr.Region `json:"call"`
	Answer Request   `json:"answer"`
}

// PauseUntil is a pause of the automation.
type PauseUntil struct {
	Until  time.Time `json:"until"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}
