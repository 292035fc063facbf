package report

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Result is result.json. Durations are whole milliseconds, null when the run does
// not tell them.
type Result struct {
	Schema   string    `json:"schema"`
	Scenario string    `json:"scenario"`
	Target   string    `json:"target"`
	Seed     uint64    `json:"seed"`
	Started  time.Time `json:"started"`
	Revision string    `json:"revision"` // of the code; empty when the build didn't know it
	Model    string    `json:"model"`    // what is modelled and not real; empty for nothing
	N        int       `json:"n"`        // samples behind the model
	// Settings are what a reader must know of clients and policy.
	Settings map[string]string `json:"settings"`

	Verdict    measure.Outcome `json:"verdict"`
	Reasons    []string        `json:"reasons"` // why; then notes, which decide nothing
	Objectives struct {
		RTO int64 `json:"rto_ms"`
		RPO int64 `json:"rpo_ms"`
	} `json:"objectives"`

	RTO        *int64 `json:"rto_ms"`
	Capped     bool   `json:"capped"` // the service had not recovered: rto_ms is a lower bound
	FirstOK    *int64 `json:"first_ok_ms"`
	Bad        *int64 `json:"bad_ms"`
	FromFault  *int64 `json:"from_fault_ms"`
	Writable   *int64 `json:"writable_ms"`
	RPO        *int64 `json:"rpo_ms"`
	NaiveRPO   *int64 `json:"naive_rpo_ms"` // had the client taken timeouts for success
	NaiveLost  int    `json:"naive_lost"`
	Resolution *int64 `json:"resolution_ms"`

	Writes       Writes  `json:"writes"`
	OrderLoss    int     `json:"order_loss"`
	Phases       []Phase `json:"phases"`
	Unattributed int64   `json:"unattributed_ms"` // with the phases it sums to rto_ms
	Failovers    int     `json:"failovers"`
	LostWrites   []Lost  `json:"lost_writes"`
	// DualWrites are what writes.dual_acknowledged counts. Each that did not survive
	// is in LostWrites, too.
	DualWrites []Dual `json:"dual_writes"`
}

// Writes are the counts of result.json.
type Writes struct {
	Attempted        int `json:"attempted"`
	OK               int `json:"ok"`
	Fail             int `json:"fail"`
	Info             int `json:"info"`
	Dropped          int `json:"dropped"`
	Lost             int `json:"lost"`
	Recovered        int `json:"recovered"`
	Unexpected       int `json:"unexpected"`
	DualAcknowledged int `json:"dual_acknowledged"`
}

// Phase is one phase of result.json.
type Phase struct {
	Name string `json:"name"`
	MS   int64  `json:"ms"`
}

// Lost is one lost write of result.json. Its time is on the run's clock.
type Lost struct {
	ID     int64        `json:"id"`
	Client string       `json:"client"`
	Server dr.Region    `json:"server"`
	Acked  int64        `json:"acknowledged_ms"`
	Kind   measure.Kind `json:"kind"`
}

// Dual is one write of result.json that the old writer acknowledged after the new
// one had begun to. Its time is on the run's clock.
type Dual struct {
	ID       int64     `json:"id"`
	Client   string    `json:"client"`
	Server   dr.Region `json:"server"`
	Acked    int64     `json:"acknowledged_ms"`
	Survived bool      `json:"survived"`
}

// NewResult builds result.json from a measured and judged run.
func NewResult(m Meta, r measure.Result, v measure.Verdict) Result {
	out := Result{
		Schema: ResultSchema, Scenario: m.Scenario, Target: m.Target, Seed: m.Seed, Started: m.Started.UTC().Round(0),
		Revision: m.Revision, Model: m.Model, N: m.N, Settings: m.Settings,
		Verdict: v.Outcome, Reasons: reasons(v),
		RTO: ms(r.RTO), Capped: r.Capped, FirstOK: ms(r.FirstOK), Bad: ms(r.Bad),
		FromFault: ms(r.FromFault), Writable: ms(r.Writable),
		RPO: ms(r.RPO), NaiveRPO: ms(r.Naive), NaiveLost: r.NaiveLost, Resolution: ms(r.Resolution),
		Writes: Writes(r.Writes), OrderLoss: r.OrderLoss, Failovers: r.Failovers,
		Phases: []Phase{}, LostWrites: []Lost{}, DualWrites: []Dual{},
	}
	out.Objectives.RTO, out.Objectives.RPO = round(r.Objectives.RTO), round(r.Objectives.RPO)
	out.Unattributed = round(r.RTO)
	for _, p := range r.Phases {
		// Rounded at its ends, so that the milliseconds sum as the phases do.
		n := round(p.To-r.Start) - round(p.From-r.Start)
		out.Phases = append(out.Phases, Phase{Name: p.Name, MS: n})
		out.Unattributed -= n
	}
	for _, w := range r.Lost {
		out.LostWrites = append(out.LostWrites, Lost{ID: w.ID, Client: w.Client, Server: w.Server, Acked: round(w.End), Kind: w.Kind})
	}
	for _, w := range r.Dual {
		out.DualWrites = append(out.DualWrites, Dual{ID: w.ID, Client: w.Client, Server: w.Server, Acked: round(w.End), Survived: w.Survived})
	}
	return out
}

// reasons joins what decided with what did not.
func reasons(v measure.Verdict) []string {
	out := append([]string{}, v.Reasons...)
	for _, n := range v.Notes {
		out = append(out, "note: "+n)
	}
	return out
}

func round(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

func ms(d time.Duration) *int64 {
	if d == measure.Unknown {
		return nil
	}
	n := round(d)
	return &n
}
