package drill

import (
	"context"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Target is what a drill runs against.
type Target interface {
	// Name is "embedded", "docker" or "aws".
	Name() string
	// Up brings a world to its steady state: both members, agents in every Region,
	// no client writing yet. On an error nothing is left running.
	Up(ctx context.Context, s Setup) (World, error)
}

// Setup is what a target needs to know of a drill.
type Setup struct {
	Topology dr.Topology
	Policy   dr.Policy
	Clients  []Client
	Writer   dr.Region // holds the writer at the beginning
	Seed     uint64    // of everything that is drawn
	// Progress is told what takes long, in words. It may be nil.
	Progress func(string)
}

// World is a running system under drill.
type World interface {
	fault.Injector
	Clients
	Observer
	Operator
	// Close stops and removes everything. It is idempotent.
	Close(ctx context.Context) error
}

// Clients are the sources of writes.
type Clients interface {
	// Load runs every client of the setup until ctx ends and returns all their
	// writes. Done, if not nil, is told each one as soon as the target knows it.
	Load(ctx context.Context, done func(workload.Op)) ([]workload.Op, error)
	// Survivors returns the ids of all rows on a Region's member.
	Survivors(ctx context.Context, r dr.Region) ([]int64, error)
}

// Observer sees what happens without taking part in it.
type Observer interface {
	// Clock is the run's one monotonic clock.
	Clock() time.Duration
	// Marks returns everything marked so far by agents and by the independent
	// probe of the other member, in no particular order.
	Marks(ctx context.Context) ([]measure.Mark, error)
	// Effective waits until a probe of its own sees the fault, and returns when
	// the first question that failed was put. What no client of a database can see
	// is reported by the component that counts it: a process that is gone or was killed after a
	// step, a tick that was lost or delivered twice, an invocation that was carried
	// out twice or refused, a start that took longer, a call that was throttled. It
	// may be called from several goroutines.
	Effective(ctx context.Context, f fault.Fault) (time.Duration, error)
}

// Operator is the person at the console.
type Operator interface {
	// Acknowledge answers the question that an execution has put.
	Acknowledge(ctx context.Context, by, reason string) error
	// Writer returns where the control plane sees the writer.
	Writer(ctx context.Context) (dr.Region, error)
	// Model says in words what is drawn or emulated, for the report.
	Model() string
}
