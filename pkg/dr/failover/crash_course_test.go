package failover_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// course is a way that the writer moves, by processes of one kind.
type course struct {
	name    string
	apart   bool // monitor and trigger are two processes
	asks    bool // a person must acknowledge
	planned bool // an operator's process switches over
}

var courses = []course{
	{name: "failover"},
	{name: "failover-acknowledged", asks: true},
	{name: "switchover", planned: true},
	{name: "deputy-failover", apart: true},
	{name: "deputy-failover-acknowledged", apart: true, asks: true},
	{name: "deputy-switchover", apart: true, planned: true},
}

// outcome is what became of a course.
type outcome struct {
	course   course
	at       point
	hit      bool
	waits    time.Duration
	took     time.Duration // until it had settled; zero when it had not
	counts   map[port]int
	loose    []port
	entries  []failover.Entry
	lease    failover.Lease
	moves    int
	opened   bool // the new writer accepts writes
	told     []failover.Message
	clients  []string // what clients saw that must not be
	verified dr.Epoch
	target   dr.Region
	story    string
}

// stage is a course that is being walked.
type stage struct {
	*rig
	course
	w      *wires
	deputy *deputy

	mu   sync.Mutex
	ends map[string]func() // kills a process and starts its successor, if it has one
}

// walk moves the writer to the west, and lets one call go wrong on the way.
func (c course) walk(t *testing.T, at point) outcome {
	p := dr.Policy{}
	if c.asks {
		p.MaxDataLoss = 10 * time.Millisecond // shipping takes 50 ms
	}
	s := &stage{rig: newRig(t, p), course: c, w: newWires(at), ends: make(map[string]func())}
	s.breaks(latency)
	s.rig.agent(east)
	s.rig.agent(witness)
	s.cast()
	s.wait(10*time.Second + 300*time.Millisecond)
	fault := time.Now()
	s.w.begin()
	clients := s.clients(fault)
	s.wg.Go(s.reap)
	switch {
	case c.planned:
		s.operate()
	default:
		s.CutRegion(east, true)
	}
	if c.asks {
		s.wg.Go(s.person)
	}
	o := outcome{course: c, at: at}
	for end := fault.Add(90 * time.Second); time.Now().Before(end); s.wait(5 * time.Millisecond) {
		if e, ok := s.Store.Newest(); ok && e.Execution.State == failover.Settled {
			o.took = time.Since(fault)
			break
		}
	}
	s.w.mu.Lock()
	o.counts, o.loose, o.hit, o.waits = s.w.counts, s.w.loose, s.w.hit, s.w.waits
	s.w.counts = nil // what comes later is not on the path
	s.w.mu.Unlock()
	s.wait(6 * time.Second) // the endpoint turns, and the guard opens its server
	if !c.planned {
		s.CutRegion(east, false)
		s.wait(3 * time.Second)
	}
	o.entries, o.moves, o.target = s.Store.Entries(), s.Cluster.Moves(), s.Router.Target()
	o.lease, _ = s.Store.Lease()
	o.opened = s.Pair.DB(west).Accepts()
	if beat, err := s.Pair.DB(west).Replicated(s.ctx, west+"/verify"); err == nil {
		o.verified = beat.Epoch
	}
	o.told = s.Notifiers[west].Messages()
	s.end()
	o.clients = clients()
	o.story = s.story(fault)
	return o
}

// cast starts the processes of the west.
func (s *stage) cast() {
	if !s.apart {
		s.again("agent", func() failover.AgentConfig { return s.w.through("agent", s.Agent(west, s.policy, s.trace())) })
		return
	}
	s.deputy = &deputy{r: s.rig, idle: time.Minute, wires: func(cfg failover.AgentConfig) failover.AgentConfig { return s.w.through("trigger", cfg) }}
	s.ends["trigger"] = s.deputy.crash
	s.again("monitor", func() failover.AgentConfig {
		cfg := s.Agent(west, s.policy, s.trace())
		cfg.Journal, cfg.Controller, cfg.Deputy = cfg.Controller.Journal, nil, s.deputy
		return s.w.through("monitor", cfg)
	})
}

// again runs an agent, and another one at once when it is killed.
func (s *stage) again(process string, cfg func() failover.AgentConfig) {
	stop := s.rig.run(cfg())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[process] = func() {
		stop()
		s.again(process, cfg)
	}
}

// reap kills the process whose point has come.
func (s *stage) reap() {
	select {
	case <-s.ctx.Done():
	case process := <-s.w.crash:
		process, _, _ = strings.Cut(process, ".")
		s.mu.Lock()
		end := s.ends[process]
		s.mu.Unlock()
		end()
	}
}

// operate switches over in a process of its own, as an operator's command does. When it
// dies the operator looks whether anything has begun, and gives the command again if not:
// what has begun is the agent's to continue.
func (s *stage) operate() {
	ctx, cancel := context.WithCancel(s.ctx)
	over := make(chan struct{})
	s.wg.Go(func() {
		defer close(over)
		var wg sync.WaitGroup
		defer wg.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		watch := &failover.Watch{}
		cfg := s.w.controller("operator", s.World.Controller(west, s.policy, watch, s.trace()))
		wg.Go(func() { _ = watch.Run(ctx, s.policy, cfg.Leaser, west, nil) })
		c, err := failover.NewController(cfg)
		require.NoError(s.t, err)
		for ctx.Err() == nil {
			if x, err := c.Switchover(ctx); err == nil && x.State.Ended() {
				return
			}
			if e, ok := s.Store.Newest(); ok && e.Execution.State.Ended() {
				return // by the agent
			}
			s.wait(250 * time.Millisecond)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends["operator"] = func() {
		cancel()
		<-over
		e, begun := s.Store.Newest()
		if !begun || s.apart && e.Execution.State == failover.Confirmed {
			s.operate()
		}
	}
}

// person acknowledges what an execution asks, a second later.
func (s *stage) person() {
	for s.ctx.Err() == nil {
		if e, ok := s.Store.Newest(); ok && e.Execution.State == failover.Operator {
			s.wait(time.Second)
			a := failover.Acknowledgement{Epoch: e.Execution.Epoch, By: "oncall", Reason: "accepted"}
			_ = s.Store.At(witness).Acknowledge(s.ctx, a)
			return
		}
		s.wait(100 * time.Millisecond)
	}
}

// clients write in both Regions. What they return tells what must not have happened.
func (s *stage) clients(fault time.Time) func() []string {
	var bad []string
	var first time.Time // when the west acknowledged for the first time
	var id int64
	arrived := map[int64]bool{} // acknowledged by the east, and must be in the west
	s.wg.Go(func() {
		for ; s.ctx.Err() == nil; s.wait(50 * time.Millisecond) {
			for _, m := range topology.Members {
				db := s.Pair.DB(m)
				if !db.Accepts() {
					continue
				}
				if id++; db.Write(context.Background(), id) != nil {
					continue
				}
				switch now := time.Now(); {
				case m == west && first.IsZero():
					first = now
				case m == east && !first.IsZero() && len(bad) < 3:
					bad = append(bad, fmt.Sprintf("the old writer acknowledged a write %v after the new one had", now.Sub(first)))
				case m == east && (s.planned || now.Before(fault.Add(-100*time.Millisecond))):
					arrived[id] = true
				}
			}
		}
	})
	return func() []string {
		for _, id := range s.Pair.DB(west).Rows() {
			delete(arrived, id)
		}
		if len(arrived) > 0 {
			bad = append(bad, fmt.Sprintf("%d writes are lost that had arrived", len(arrived)))
		}
		if first.IsZero() {
			bad = append(bad, "the new writer acknowledged nothing")
		}
		return bad
	}
}

// story tells what happened, from the fault on.
func (s *stage) story(fault time.Time) string {
	var b strings.Builder
	for _, e := range s.Store.Entries() {
		fmt.Fprintf(&b, "%8.3fs %s/%d %s: %s %s %s\n", e.At.Sub(fault).Seconds(), e.Execution.ID, e.Execution.Seq, e.Event, e.Execution.State, e.Execution.Code, e.Execution.Detail)
	}
	s.rig.mu.Lock()
	defer s.rig.mu.Unlock()
	for _, c := range s.lease {
		fmt.Fprintf(&b, "%8.3fs %s epoch %d %s %s\n", c.At.Sub(fault).Seconds(), c.Region, c.Epoch, c.What, c.Detail)
	}
	for _, p := range s.trouble {
		if p.Region == west {
			fmt.Fprintf(&b, "%8.3fs problem: %s: %v\n", p.At.Sub(fault).Seconds(), p.Op, p.Err)
		}
	}
	return b.String()
}

// judge returns what must not be, undisturbed or not.
func (o outcome) judge(base outcome) []string {
	var bad []string
	fail := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if o.took == 0 {
		fail("it did not settle")
	}
	if late := o.took - base.took; late > o.allowed() {
		fail("it settled %v later, allowed are %v", late, o.allowed())
	}
	if len(o.loose) > 0 {
		fail("calls without a deadline, which could hang for ever: %v", o.loose)
	}
	bad = append(bad, o.clients...)
	happened := make(map[failover.Kind]int)
	from := failover.Steady
	var last failover.Execution
	for i, e := range o.entries {
		last = e.Execution
		if last.ID != o.entries[0].Execution.ID || last.Seq != i+1 {
			fail("entry %d is %s/%d: not one execution without a gap", i+1, last.ID, last.Seq)
		}
		if _, ok := failover.Table[from][e.Event]; !ok {
			fail("%s in state %s is not in the table", e.Event, from)
		}
		from = last.State
		happened[e.Event]++
	}
	for _, k := range []failover.Kind{failover.EvEpochTaken, failover.EvFenceProven, failover.EvGatePassed, failover.EvPromoted, failover.EvVerified, failover.EvRedirected, failover.EvAnnounced} {
		if happened[k] != 1 {
			fail("%s happened %d times", k, happened[k])
		}
	}
	if last.State != failover.Settled || last.Proof == "" {
		fail("it ended in state %s with proof %q", last.State, last.Proof)
	}
	if !o.course.planned && (len(last.Evidence.Dark) < 2 || len(last.Evidence.Vantages) < 2) {
		fail("promoted on evidence %v from %v", last.Evidence.Dark, last.Evidence.Vantages)
	}
	if o.course.asks != (last.Ack != nil) || o.course.asks && (happened[failover.EvAcknowledged] != 1 || last.Ack.Epoch != 2) {
		fail("acknowledged %d times: %+v", happened[failover.EvAcknowledged], last.Ack)
	}
	if o.course.planned != (last.Mode == failover.ModeSwitchover) {
		fail("mode %s", last.Mode)
	}
	if o.moves != 1 || o.lease.Epoch != 2 || o.lease.Holder != west || o.lease.Execution != last.ID {
		fail("%d promotions, lease %+v", o.moves, o.lease)
	}
	if o.verified != 2 || o.target != west || !o.opened {
		fail("verified in epoch %d, clients land in %s, the new writer is open: %v", o.verified, o.target, o.opened)
	}
	return append(bad, o.announced(base)...)
}

// announced judges what people were told. Who can't know whether a message has gone out
// sends it again, so one call that goes wrong may cost one message more or, when it is the
// message itself that nobody takes, one less; each names the same execution.
func (o outcome) announced(base outcome) []string {
	var bad []string
	more := 1
	if o.course.planned {
		more++ // the operator's process and the Region's own walk the same execution
	}
	if n := len(o.told) - len(base.told); n > more || n < 0 && !strings.HasSuffix(string(o.at.port), "/"+string(drtest.OpNotify)) {
		bad = append(bad, fmt.Sprintf("%d messages, undisturbed %d", len(o.told), len(base.told)))
	}
	for _, m := range o.told {
		if !strings.Contains(m.Body, o.entries[0].Execution.ID) {
			bad = append(bad, "a message about something else: "+m.Subject)
		}
	}
	return bad
}
