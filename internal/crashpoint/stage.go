package crashpoint

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Course is a way that the writer moves, by processes of one kind.
type Course struct {
	Name    string
	Apart   bool // monitor and trigger are two processes
	Asks    bool // a person must acknowledge
	Planned bool // an operator's process switches over
}

// Courses are all ways that the writer moves.
var Courses = []Course{
	{Name: "failover"},
	{Name: "failover-acknowledged", Asks: true},
	{Name: "switchover", Planned: true},
	{Name: "triggered-failover", Apart: true},
	{Name: "triggered-failover-acknowledged", Apart: true, Asks: true},
	{Name: "triggered-switchover", Apart: true, Planned: true},
}

// World is what a course is walked in, in its steady state: the first member of the
// topology is the writer and holds the first epoch.
type World struct {
	Topology dr.Topology
	Pair     *drtest.Pair
	// Monitor returns the configuration of a member's monitor, which moves the writer by a
	// controller of its own; Trigger that of the second member's trigger. The calls of a
	// process with a name go through the stage's wires.
	Monitor func(r dr.Region, process string) failover.MonitorConfig
	Trigger func(process string) failover.TriggerConfig
	Witness func() failover.WitnessConfig
	// Controller returns the configuration of the controller of an operator's process in
	// the second member's Region, without a Watch.
	Controller func(process string) failover.ControllerConfig
	// Cut opens or closes every path between the writer's Region and the others.
	Cut func(cut bool)
	// Newest and Entries read the journal past every fault.
	Newest  func() (failover.Entry, bool)
	Entries func() []failover.Entry
	// Acknowledge is what a person does, in the witness Region.
	Acknowledge func(context.Context, failover.Acknowledgement) error
	Ending      func() Ending
	// Close ends what the world itself runs.
	Close func()
}

// Ending is how a world was left.
type Ending struct {
	Moves int // promotions and switchovers that were carried out
	Lease failover.Lease
	Lands dr.Region // where clients of the second member's Region land
	Told  []failover.Message
}

// Stage is a course that is being walked.
type Stage struct {
	T      *testing.T
	Ctx    context.Context // ends with the course
	Policy dr.Policy
	Wires  *Wires
	Trace  *dr.Trace // for every agent and controller

	world    World
	course   Course
	from, to dr.Region
	fault    time.Time
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu      sync.Mutex
	ends    map[string]func()  // kills a process and starts its successor, if it has one
	trigger context.CancelFunc // of the one that runs
	told    []told             // by guards and controllers
}

type told struct {
	at   time.Time
	what string
}

func (s Suite) stage(t *testing.T, c Course, at Point) *Stage {
	g := &Stage{T: t, course: c, Wires: NewWires(at), ends: make(map[string]func())}
	if c.Asks {
		g.Policy.MaxDataLoss = 10 * time.Millisecond // shipping takes longer
	}
	g.Ctx, g.cancel = context.WithCancel(t.Context())
	g.Trace = &dr.Trace{
		Lease: func(l dr.LeaseChange) { g.tell(l.At, "%s epoch %d %s %s", l.Region, l.Epoch, l.What, l.Detail) },
		Problem: func(p dr.Problem) {
			if p.Region == g.to {
				g.tell(p.At, "problem: %s: %v", p.Op, p.Err)
			}
		},
	}
	g.world = s.Build(g)
	g.from, g.to = g.world.Topology.Members[0], g.world.Topology.Members[1]
	return g
}

// walk moves the writer, and lets one call go wrong on the way.
func (s *Stage) walk() Outcome {
	s.again("writer", func() (runner, error) { return failover.NewMonitor(s.world.Monitor(s.from, "")) })
	s.again("witness", func() (runner, error) { return failover.NewWitness(s.world.Witness()) })
	s.cast()
	s.wait(10*time.Second + 300*time.Millisecond)
	s.fault = time.Now()
	s.Wires.Begin()
	clients := s.clients()
	s.wg.Go(s.reap)
	if s.course.Planned {
		s.operate()
	} else {
		s.world.Cut(true)
	}
	if s.course.Asks {
		s.wg.Go(s.person)
	}
	o := Outcome{Course: s.course, At: s.Wires.at, To: s.to}
	for end := s.fault.Add(90 * time.Second); time.Now().Before(end); s.wait(5 * time.Millisecond) {
		if s.in(failover.Settled) {
			o.Took = time.Since(s.fault)
			break
		}
	}
	o.Counts, o.Loose, o.Hit = s.Wires.end() // what comes later is not on the path
	s.wait(6 * time.Second)                  // the endpoint turns, and the guard opens its server
	if !s.course.Planned {
		s.world.Cut(false)
		s.wait(3 * time.Second)
	}
	o.Entries, o.Ending = s.world.Entries(), s.world.Ending()
	db := s.world.Pair.DB(s.to)
	o.Opened = db.Accepts()
	if beat, err := db.Replicated(s.Ctx, s.to+"/verify"); err == nil {
		o.Verified = beat.Epoch
	}
	s.cancel()
	s.wg.Wait()
	s.world.Close()
	o.Clients, o.Story = clients(), s.story(o.Entries)
	return o
}

func (s *Stage) wait(d time.Duration) { <-time.After(d) }

// in reports whether the newest execution is in a state.
func (s *Stage) in(state failover.State) bool {
	e, ok := s.world.Newest()
	return ok && e.Execution.State == state
}

func (s *Stage) tell(at time.Time, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, told{at, fmt.Sprintf(format, args...)})
}

// story tells what happened, from the fault on.
func (s *Stage) story(entries []failover.Entry) string {
	var b strings.Builder
	line := func(at time.Time, what string) { fmt.Fprintf(&b, "%8.3fs %s\n", at.Sub(s.fault).Seconds(), what) }
	for _, e := range entries {
		x := e.Execution
		line(e.At, fmt.Sprintf("%s/%d %s: %s %s %s", x.ID, x.Seq, e.Event, x.State, x.Code, x.Detail))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.told {
		line(t.at, t.what)
	}
	return b.String()
}
