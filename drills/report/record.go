package report

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// runRecord is run.json: the parts of a measure.Run that are not history, and
// what the run was.
type runRecord struct {
	Schema string `json:"schema"`
	Meta
	RTO       time.Duration   `json:"objective_rto_ns"`
	RPO       time.Duration   `json:"objective_rpo_ns"`
	OwnShare  time.Duration   `json:"objective_own_share_ns"`
	Sustain   measure.Sustain `json:"sustain"`
	Horizon   time.Duration   `json:"horizon_ns"`
	Interval  time.Duration   `json:"interval_ns"`
	Faulted   dr.Region       `json:"faulted"`
	OldWriter dr.Region       `json:"old_writer"`
	NewWriter dr.Region       `json:"new_writer"`
	Survivors []int64         `json:"survivors"` // null: they were not read
}

func newRunRecord(m Meta, r measure.Run) runRecord {
	return runRecord{
		Schema: RunSchema, Meta: m,
		RTO: r.Objectives.RTO, RPO: r.Objectives.RPO, OwnShare: r.Objectives.OwnShare,
		Sustain: r.Sustain, Horizon: r.Horizon, Interval: r.Interval,
		Faulted: r.Faulted, OldWriter: r.OldWriter, NewWriter: r.NewWriter, Survivors: r.Survivors,
	}
}

func (r runRecord) run() measure.Run {
	return measure.Run{
		Objectives: dr.Objectives{RTO: r.RTO, RPO: r.RPO, OwnShare: r.OwnShare},
		Sustain:    r.Sustain, Horizon: r.Horizon, Interval: r.Interval,
		Faulted: r.Faulted, OldWriter: r.OldWriter, NewWriter: r.NewWriter, Survivors: r.Survivors,
	}
}
