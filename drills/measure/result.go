package measure

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Result is what a run measured. A time that the run does not tell is Unknown.
type Result struct {
	Objectives dr.Objectives

	// RTO is the length of the longest outage; zero when every write was ok.
	// When Capped it is only a lower bound: the run ended in an outage, this or
	// another.
	RTO    time.Duration
	Capped bool
	// Start and End bound that outage on the run's clock. Both are zero when
	// there was none.
	Start, End time.Duration
	// FirstOK is the time from Start to the first ok write that was meant to
	// start after it. It flatters; RTO does not. Unknown when none came.
	FirstOK time.Duration
	// Bad is the length of all outages together. It exceeds RTO when the
	// service came and went.
	Bad time.Duration
	// Outages are all of them, in order.
	Outages []Outage
	// FromFault is the time from the fault's effect to End: RTO plus the time
	// until the first client write failed.
	FromFault time.Duration
	// Writable is the time from the fault's effect to the first write that the
	// promoted server accepted from an independent probe.
	Writable time.Duration

	// RPO is the strict loss in time, from acknowledged writes only. Naive is
	// the same if the client had taken timeouts for success. NaiveLost counts
	// the writes that such a client would have lost.
	RPO, Naive time.Duration
	NaiveLost  int
	// Resolution is the write interval: RTO and RPO are no finer.
	Resolution time.Duration
	// Lost lists every lost write, in the order of acknowledgement. Width is
	// the time from the first lost acknowledgement to the last one.
	Lost  []LostWrite
	Width time.Duration

	Writes Writes
	// Dual lists every write that the old writer acknowledged after the first
	// acknowledgement by the new one; Writes.DualAcknowledged is their number.
	Dual []DualWrite
	// OrderLoss counts the lost writes that were acknowledged before a surviving
	// write began. Replicated storage loses a tail, never a hole.
	OrderLoss int
	// Foreign counts rows with an id that no client of the run used.
	Foreign int

	// Phases divide RTO; together with Unattributed they sum to it exactly.
	Phases       []Phase
	Unattributed time.Duration
	// Failovers counts the promotions.
	Failovers            int
	OldWriter, NewWriter dr.Region

	// Steady, Injected and the others are the times of the marks that the verdict
	// needs. Suspected is when a controller first suspected the writer, Guarded when
	// the old writer's own monitor fenced it, if that was before the heal.
	Steady, Injected, Effective, Suspected, Guarded, Healed, Operator, Acknowledged, Promoted time.Duration
	// Unseen lists the faults of which nothing showed that they did anything.
	Unseen []string
	// Before tells how the load did between Steady and the fault.
	Before Before
	// DroppedOutside counts writes dropped before the fault or after recovery.
	DroppedOutside int
	// Problems are the reasons for which the run can't be measured.
	Problems []string
}

// FailedOver reports whether the writer moved.
func (r Result) FailedOver() bool { return r.Failovers > 0 || r.OldWriter != r.NewWriter }

// Writes counts the ops of all clients.
type Writes struct {
	Attempted, OK, Fail, Info, Dropped int
	// Lost: acknowledged and absent. Recovered: outcome unknown and present.
	// Unexpected: failed or dropped, and yet present; a mistake in the
	// classification, never a success.
	Lost, Recovered, Unexpected int
	// DualAcknowledged: acknowledged by the old writer after the first
	// acknowledgement by the new one.
	DualAcknowledged int
}

// Outage is a time in which writes did not succeed.
type Outage struct {
	Start, End time.Duration
	Capped     bool // it had not ended when the run did; End is the end of the observation
}

// Length is the duration of the outage.
func (o Outage) Length() time.Duration { return o.End - o.Start }

// Phase is a part of the RTO.
type Phase struct {
	Name     string
	From, To time.Duration // on the run's clock, inside the outage
	// Known is false when a mark at one of its ends is missing. Its length is
	// then zero and its time is in Result.Unattributed.
	Known bool
}

// Length is the duration of the phase.
func (p Phase) Length() time.Duration { return p.To - p.From }

// Kind says what explains a lost write.
type Kind string

// The explanations of a lost write.
const (
	// Lag: acknowledged by the old writer before the fault took effect, not yet
	// shipped to the new one.
	Lag Kind = "lag"
	// Partition: acknowledged by the old writer after that, on its own side.
	Partition Kind = "partition"
	// Unexplained: lost with no fault, or acknowledged by the new writer.
	Unexplained Kind = "unexplained"
)

// LostWrite is an acknowledged write that is absent from the new writer.
type LostWrite struct {
	ID     int64
	Client string
	Server dr.Region     // who acknowledged it
	Start  time.Duration // when it began
	End    time.Duration // when it was acknowledged
	Kind   Kind
}

// Before is how the load did between steady state and the fault.
type Before struct {
	Length  time.Duration
	Offered float64 // writes per second that the clients were meant to send
	Sent    int     // writes on record
	OK      int
}

// Achieved is the rate of acknowledged writes per second.
func (b Before) Achieved() float64 {
	if b.Length <= 0 {
		return 0
	}
	return float64(b.OK) / b.Length.Seconds()
}
