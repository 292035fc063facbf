package drill

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Options are what may differ from one run of a scenario to the next.
type Options struct {
	Seed uint64
	// Out is the folder under which the run's folder is made. Empty writes nothing.
	Out string
	// Started stamps the run's folder. Zero means now.
	Started time.Time
	Timing  Timing
	// Progress is told what happens, as it happens. It may be nil.
	Progress func(Progress)
}

// Timing is how long each part of a drill lasts. Zero fields mean the defaults.
type Timing struct {
	// Steady is how long the load must run well before anything breaks. Default 5 s.
	Steady time.Duration
	// Quiet is how long a fault that must not move the writer lasts. Default 20 s.
	Quiet time.Duration
	// Sustain is how long writes must succeed to count as recovered. Default 10 s.
	Sustain time.Duration
	// AfterHeal is how long the load goes on after the heal, to see whether an old
	// writer comes back. Default 8 s.
	AfterHeal time.Duration
	// Horizon is how long a recovery is waited for. Default five times the RTO.
	Horizon time.Duration
	// Ask is how long an operator lets a question wait. Default 3 s.
	Ask time.Duration
}

func (t Timing) withDefaults(o dr.Objectives) Timing {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&t.Steady, 5*time.Second)
	set(&t.Quiet, 20*time.Second)
	set(&t.Sustain, 10*time.Second)
	set(&t.AfterHeal, 8*time.Second)
	set(&t.Horizon, 5*o.RTO)
	set(&t.Ask, 3*time.Second)
	return t
}

// Progress is one thing that a watcher may want to show.
type Progress struct {
	At     time.Duration
	Mark   *measure.Mark // something happened, or
	Op     *workload.Op  // a write ended, or
	Status string        // something takes time
}
