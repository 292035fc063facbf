package monitorlease

import (
	"errors"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Blind is the longest time that no process may act while one lives that could, and the
// store answers. A call that was under way when the store came back adds up to TTL.
const Blind = 4 * time.Second

// Config says whose monitor lease it is about, and in what times.
type Config struct {
	Region dr.Region
	// Process names this process for people, such as the invocation's request id. It
	// need not be unique: Lambda repeats an event under the same id, and may deliver
	// one twice, so Run adds letters of its own.
	Process string
	Store   Store

	// TTL is how long a renewal lasts. Default 2.8 s: with Drift, a look and a take, and one
	// lost answer among them, that stays below Blind.
	TTL time.Duration
	// Margin is how long before the end of TTL a renewal counts as late, and how late a timer
	// must be before the process counts as having stood still. Default TTL/6; work that ends
	// must have stopped acting within it.
	Margin time.Duration
	// Drift is added to TTL by a process that waits for it to pass. Default 150 ms: 5 % of
	// 2.8 s. TTL + Drift + Call + 2 Poll must stay below Blind.
	Drift time.Duration
	// Renew is the time between two renewals. Default TTL/4, at most that: three lost
	// calls must not lose the lease.
	Renew time.Duration
	// Call is the deadline of one call to a Store that answers. Default TTL/6, at most Renew.
	// While the Store is slow a call gets more, up to TTL.
	Call time.Duration
	// Poll is the time between two looks of a process that waits, and so what a handover
	// costs on top of three calls. Default 100 ms.
	Poll time.Duration
	// Patience is how long a released monitor lease waits for the process that has claimed it. Default 1 s, at
	// least 4 Poll.
	Patience time.Duration
	// Spare is how long before the deadline of Run's context the work ends. Default 5 s:
	// the work needs Margin, the release up to three calls. Less than it at the start is
	// an error: such an invocation would never work.
	Spare time.Duration

	// OnEvent is told what happens, in order. It must not block. Optional.
	OnEvent func(Event)
}

// Event is something for logs and metrics.
type Event struct {
	At    time.Time // for people
	What  What
	Lease Lease
	// Silent is how long the holder before had provably said nothing when its lease was
	// taken, and Gap how long at most: the time from the look that did not show its last
	// word yet until the answer to the take. For a process that has just begun both count
	// from its first look.
	Silent, Gap time.Duration
	Err         error // of Failed
}

// What happened.
type What string

// What can happen.
const (
	Claimed  What = "claimed"
	Taken    What = "taken"
	Yielded  What = "yielded"  // the work has stopped, because another process waits
	Lapsed   What = "lapsed"   // no renewal got through in time; the work goes on until another process has the lease
	Usurped  What = "usurped"  // the work has stopped, because another process has the lease
	Released What = "released" // on the way out
	Left     What = "left"     // another process has taken the lease and renewed it
	Failed   What = "failed"   // a call to the Store, or the work while it ended
)

// WithDefaults fills in what is zero.
func (c Config) WithDefaults() Config {
	fill := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	fill(&c.TTL, 2800*time.Millisecond)
	fill(&c.Margin, c.TTL/6)
	fill(&c.Drift, 150*time.Millisecond)
	fill(&c.Renew, c.TTL/4)
	fill(&c.Call, c.TTL/6)
	fill(&c.Poll, 100*time.Millisecond)
	fill(&c.Patience, time.Second)
	fill(&c.Spare, 5*time.Second)
	return c
}

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("monitorlease: config: "+format, args...))
		}
	}
	refuse(c.Region == "", "Region is empty")
	refuse(c.Process == "", "Process is empty: give the invocation's request id")
	refuse(c.Store == nil, "Store is nil: give the lease table's")
	for _, d := range []struct {
		name string
		is   time.Duration
	}{
		{"TTL", c.TTL}, {"Margin", c.Margin}, {"Drift", c.Drift}, {"Renew", c.Renew}, {"Call", c.Call},
		{"Poll", c.Poll}, {"Patience", c.Patience}, {"Spare", c.Spare},
	} {
		refuse(d.is < 0, "%s %v is negative: give a positive duration, or 0 for the default", d.name, d.is)
	}
	refuse(c.Margin < c.TTL/10, "Margin %v must be at least a tenth of TTL %v: work that ends takes time", c.Margin, c.TTL)
	refuse(c.Renew > c.TTL/4, "Renew %v must be at most a quarter of TTL %v, or one lost call stops the work", c.Renew, c.TTL)
	refuse(c.Call > c.Renew, "Call %v must be at most Renew %v, or one lost call costs two renewals", c.Call, c.Renew)
	refuse(c.Margin+c.Renew+c.Call >= c.TTL, "Margin %v, Renew %v and Call %v must leave time within TTL %v", c.Margin, c.Renew, c.Call, c.TTL)
	refuse(c.Drift < c.TTL/50, "Drift %v must be at least a fiftieth of TTL %v: clocks differ in rate", c.Drift, c.TTL)
	refuse(c.TTL+c.Drift+c.Call+2*c.Poll >= Blind, "TTL %v + Drift %v + Call %v + 2 Poll %v must be below %v, the longest blindness", c.TTL, c.Drift, c.Call, c.Poll, Blind)
	refuse(c.Patience < 4*c.Poll, "Patience %v must be at least 4 Poll %v, or a successor that lives is too late", c.Patience, c.Poll)
	refuse(c.Patience > c.TTL, "Patience %v must be at most TTL %v: no process acts meanwhile", c.Patience, c.TTL)
	refuse(c.Spare < c.Margin+3*c.Call, "Spare %v must be at least Margin %v and three times Call %v, or the monitor lease is not released", c.Spare, c.Margin, c.Call)
	return errors.Join(errs...)
}
