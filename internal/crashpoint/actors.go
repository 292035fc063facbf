package crashpoint

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// cast starts the processes of the Region that acts.
func (s *Stage) cast() {
	if !s.course.Apart {
		s.again("agent", func() (runner, error) { return failover.NewMonitor(s.world.Monitor(s.to, "agent")) })
		return
	}
	s.ends["trigger"] = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.trigger != nil {
			s.trigger()
		}
	}
	s.again("monitor", func() (runner, error) {
		cfg := s.world.Monitor(s.to, "monitor")
		if own, ok := cfg.Mover.(failover.ByController); ok {
			cfg.Mover = failover.ByTrigger{Trigger: s, Journal: own.Controller.Journal}
		}
		return failover.NewMonitor(cfg)
	})
}

// Ask implements failover.TriggerInvoker: a trigger, as a function that is
// invoked runs it: one at a time, until an execution has ended or a minute has passed.
func (s *Stage) Ask(context.Context, string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trigger != nil {
		return nil // it is being looked at already
	}
	ctx, cancel := context.WithTimeout(s.Ctx, time.Minute)
	s.trigger = cancel
	cfg := s.world.Trigger("trigger")
	cfg.OnOutcome = func(failover.Execution, error) { cancel() }
	done := s.run(ctx, func() (runner, error) { return failover.NewTrigger(cfg) })
	s.wg.Go(func() {
		<-done
		s.mu.Lock()
		defer s.mu.Unlock()
		s.trigger = nil
		cancel()
	})
	return nil
}

// runner is a monitor, a trigger or a witness.
type runner interface{ Run(context.Context) error }

// Quiet is whom monitors tell what fails in them for long: a course counts what executions
// tell.
type Quiet struct{}

// Notify implements failover.Notifier.
func (Quiet) Notify(context.Context, failover.Message) error { return nil }

// run runs what build returns until ctx ends, and closes what it returns when it has ended.
func (s *Stage) run(ctx context.Context, build func() (runner, error)) <-chan struct{} {
	done := make(chan struct{})
	a, err := build()
	if err != nil {
		s.T.Error(err)
		close(done)
		return done
	}
	s.wg.Go(func() {
		defer close(done)
		_ = a.Run(ctx)
	})
	return done
}

// again runs what build returns, and another one at once when it is killed.
func (s *Stage) again(process string, build func() (runner, error)) {
	ctx, cancel := context.WithCancel(s.Ctx)
	done := s.run(ctx, build)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[process] = func() {
		cancel()
		<-done
		s.again(process, build)
	}
}

// reap kills the process whose point has come.
func (s *Stage) reap() {
	select {
	case <-s.Ctx.Done():
	case process := <-s.Wires.Crash():
		process, _, _ = strings.Cut(process, ".") // of which this is a part
		s.mu.Lock()
		end := s.ends[process]
		s.mu.Unlock()
		end()
	}
}

// operate switches over in a process of its own, as an operator's command does. When it
// dies the operator looks whether anything has begun, and gives the command again if not:
// the agent continues what has begun. Where the agent has a Trigger, it doesn't ask the
// trigger to continue an execution that has not taken the epoch yet.
func (s *Stage) operate() {
	ctx, cancel := context.WithCancel(s.Ctx)
	cfg := s.world.Controller("operator")
	cfg.Watch = &failover.Watch{}
	c, err := failover.NewController(cfg)
	if err != nil {
		s.T.Error(err)
	}
	over := make(chan struct{})
	s.wg.Go(func() {
		defer close(over)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		wg.Go(func() { _ = cfg.Watch.Run(ctx, s.Policy, cfg.Leaser, s.to, nil) })
		for ctx.Err() == nil {
			if x, err := c.Switchover(ctx, failover.Origin{By: "operator", Reason: "planned"}); err == nil && x.State.Ended() {
				return
			}
			if e, ok := s.world.Newest(); ok && e.Execution.State.Ended() {
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
		e, begun := s.world.Newest()
		if !begun || s.course.Apart && e.Execution.State == failover.Confirmed {
			s.operate()
		}
	}
}

// person acknowledges what an execution asks, a second later, and again when that fails.
func (s *Stage) person() {
	for ; s.Ctx.Err() == nil; s.wait(100 * time.Millisecond) {
		e, ok := s.world.Newest()
		if !ok || e.Execution.State != failover.AwaitingApproval {
			continue
		}
		s.wait(time.Second)
		if s.world.Acknowledge(s.Ctx, failover.Acknowledgement{Execution: e.Execution.ID, Question: e.Execution.Question.ID, By: "oncall", Reason: "accepted"}) == nil {
			return
		}
	}
}

// clients write in both Regions. What they return tells what must not have happened.
func (s *Stage) clients() func() []string {
	var bad []string
	var first time.Time // when the new writer acknowledged for the first time
	var id int64
	arrived := map[int64]bool{} // acknowledged by the old writer, and must be in the new one
	s.wg.Go(func() {
		for ; s.Ctx.Err() == nil; s.wait(50 * time.Millisecond) {
			for _, m := range s.world.Topology.Members {
				db := s.world.Pair.DB(m)
				if !db.Accepts() {
					continue
				}
				if id++; db.Write(context.Background(), id) != nil {
					continue
				}
				switch now := time.Now(); {
				case m == s.to && first.IsZero():
					first = now
				case m == s.from && !first.IsZero() && len(bad) < 3:
					bad = append(bad, fmt.Sprintf("the old writer acknowledged a write %v after the new one had", now.Sub(first)))
				case m == s.from && (s.course.Planned || now.Before(s.fault.Add(-100*time.Millisecond))):
					arrived[id] = true
				}
			}
		}
	})
	return func() []string {
		for _, id := range s.world.Pair.DB(s.to).Rows() {
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
