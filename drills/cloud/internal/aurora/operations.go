package aurora

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// errUnreachable is why one Region's control plane can't act on another's
// servers.
var errUnreachable = errors.New("the Regions do not reach each other")

// failover promotes a secondary without waiting for anything from the old
// primary. Aurora's write fencing of the old primary runs beside it, is best
// effort, and delays the promotion by no more than its own bound.
func (s *Service) failover(ctx context.Context, op *Operation, from, to int) {
	old, target := s.cfg.Members[from], s.cfg.Members[to]
	s.edit(target, func(st *state) {
		st.failover.status = failingOver
		st.members[to].status = promoting
	})

	var wg sync.WaitGroup
	defer wg.Wait()
	bound, cancel := context.WithTimeout(ctx, s.cfg.FenceTimeout)
	defer cancel()
	fenced := make(chan struct{})
	var once sync.Once
	outcome := func(err error) { once.Do(func() { s.noteFence(op, old, target, err) }) }
	wg.Go(func() {
		outcome(s.fence(bound, target, old))
		close(fenced)
	})

	if s.cfg.Links.Sleep(ctx, time.Until(op.AcceptedAt.Add(op.Drawn))) != nil {
		return
	}
	select {
	case <-fenced:
	case <-bound.Done():
		outcome(bound.Err()) // a fence that ignores its bound is not waited for
	}
	if ctx.Err() != nil {
		return
	}

	err := s.promote(ctx, target, true)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.fail(op, target, from, "RDS-EVENT-0239", "Global failover failed", err)
		return
	}
	s.mu.Lock()
	op.PromotedAt = time.Now()
	op.DoneAt = op.PromotedAt
	s.change(target.Region, func(st *state) {
		st.writer, st.status, st.failover = to, available, nil
		for i := range st.members {
			st.members[i].status = available
			st.members[i].sync = pendingResync
		}
		st.members[to].sync = connected
	})
	s.note(op.PromotedAt, target.Region, target.Cluster, "RDS-EVENT-0238", "Global failover to "+target.Cluster+" completed")
	s.redirect(to)
	s.mu.Unlock()

	for i := range s.cfg.Members {
		if i != to {
			wg.Go(func() { s.rejoin(ctx, i) })
		}
	}
}

// fence asks the old primary to stop accepting writes. A dark Region answers
// nothing, so it takes the whole bound to find out.
func (s *Service) fence(ctx context.Context, by, old Member) error {
	if !s.cfg.Links.Up(by.Region, old.Region) {
		<-ctx.Done()
		return errUnreachable
	}
	return s.cfg.Servers.Fence(ctx, old.Region)
}

// noteFence records whether the fence held. AWS records it in the old
// primary's Region when that is reachable, else in the new one's.
func (s *Service) noteFence(op *Operation, old, target Member, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	where := target
	if s.cfg.Links.Up(old.Region, target.Region) {
		where = old
	}
	if err == nil {
		op.FencedAt = time.Now()
		s.note(op.FencedAt, where.Region, where.Cluster, "RDS-EVENT-0390", "Writes to "+old.Cluster+" were stopped before the global failover")
		return
	}
	s.note(time.Now(), where.Region, where.Cluster, "RDS-EVENT-0391",
		fmt.Sprintf("Writes to %s could not be stopped; the global failover proceeds: %v", old.Cluster, err))
}

func (s *Service) promote(ctx context.Context, m Member, dataLoss bool) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.PromoteTimeout)
	defer cancel()
	return s.cfg.Servers.Promote(ctx, m.Region, dataLoss)
}

// fail ends an operation that moved nothing.
func (s *Service) fail(op *Operation, m Member, writer int, id, message string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.DoneAt, op.Err = time.Now(), err
	s.change(m.Region, func(st *state) {
		st.writer, st.status, st.failover = writer, available, nil
		for i := range st.members {
			st.members[i].status = available
		}
	})
	s.note(op.DoneAt, m.Region, m.Cluster, id, fmt.Sprintf("%s: %v", message, err))
}

// edit publishes a version made in m's Region.
func (s *Service) edit(m Member, change func(*state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(m.Region, change)
}

// redirect points the global writer endpoint at a member after a drawn delay.
// The caller holds the lock. The record carries its own time, so no timer is
// needed.
func (s *Service) redirect(to int) {
	at := time.Now().Add(s.cfg.DNSDelay(s.cfg.Rand))
	s.dns = append(s.dns, record{at: at, writer: to})
	m := s.cfg.Members[to]
	s.note(at, m.Region, m.Cluster, "RDS-EVENT-0397", "The global writer endpoint now points at "+m.Cluster)
}

// rejoin rebuilds a member as a secondary of the writer, once its Region can
// be reached. It tries again after every failure until ctx ends.
func (s *Service) rejoin(ctx context.Context, i int) {
	m := s.cfg.Members[i]
	started := false
	for s.cfg.Links.Sleep(ctx, s.cfg.RejoinInterval) == nil {
		s.mu.Lock()
		writer, sync := s.cfg.Members[s.truth.writer], s.truth.members[i].sync
		s.mu.Unlock()
		if sync != pendingResync {
			return
		}
		if !s.cfg.Links.Up(writer.Region, m.Region) {
			continue
		}
		if !started {
			started = true
			s.noteNow(m, "RDS-EVENT-0240", "Resynchronization of "+m.Cluster+" started")
		}
		if s.rejoinOnce(ctx, m, writer) != nil {
			continue
		}
		s.edit(writer, func(st *state) { st.members[i].sync = connected })
		s.noteNow(m, "RDS-EVENT-0241", "Resynchronization of "+m.Cluster+" finished")
		return
	}
}

func (s *Service) rejoinOnce(ctx context.Context, m, writer Member) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.RejoinTimeout)
	defer cancel()
	return s.cfg.Servers.Rejoin(ctx, m.Region, writer.Region)
}

// switchover moves the writer without loss: stop writes, let everything
// arrive, promote, turn the old primary into a secondary. When it can't, the
// old primary accepts writes again.
func (s *Service) switchover(ctx context.Context, op *Operation, from, to int) {
	old, target := s.cfg.Members[from], s.cfg.Members[to]
	s.noteNow(old, "RDS-EVENT-0181", "Global switchover to "+target.Cluster+" started")
	s.edit(old, func(st *state) {
		st.failover.status = switchingOver
		st.members[from].status, st.members[to].status = modifying, modifying
	})
	if err := s.switchWriter(ctx, op, old, target); err != nil {
		if ctx.Err() == nil {
			s.fail(op, old, from, "RDS-EVENT-0187", "Global switchover to "+target.Cluster+" failed", err)
		}
		return
	}
	s.mu.Lock()
	op.PromotedAt = time.Now()
	s.change(target.Region, func(st *state) {
		st.writer = to
		st.members[to].status = available
		st.members[from].sync = pendingResync
	})
	s.note(op.PromotedAt, target.Region, target.Cluster, "RDS-EVENT-0184", target.Cluster+" was promoted")
	s.redirect(to)
	s.mu.Unlock()

	rejoined := s.rejoinOnce(ctx, old, target) == nil
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	op.DoneAt = time.Now()
	s.change(target.Region, func(st *state) {
		st.status, st.failover = available, nil
		st.members[from].status = available
		if rejoined {
			st.members[from].sync = connected
		}
	})
	s.note(op.DoneAt, target.Region, target.Cluster, "RDS-EVENT-0185", "Global switchover to "+target.Cluster+" finished")
	s.mu.Unlock()
	if !rejoined {
		s.rejoin(ctx, from)
	}
}

// switchWriter stops writes on the old primary and promotes the target.
func (s *Service) switchWriter(ctx context.Context, op *Operation, old, target Member) error {
	if !s.cfg.Links.Up(old.Region, target.Region) {
		return errUnreachable
	}
	bound, cancel := context.WithTimeout(ctx, s.cfg.FenceTimeout)
	defer cancel()
	if err := s.cfg.Servers.Fence(bound, old.Region); err != nil {
		return s.reopen(ctx, old, fmt.Errorf("stop writes on %s: %w", old.Cluster, err))
	}
	s.mu.Lock()
	op.FencedAt = time.Now()
	s.note(op.FencedAt, old.Region, old.Cluster, "RDS-EVENT-0182", "Writes to "+old.Cluster+" were stopped for the global switchover")
	s.mu.Unlock()
	if err := s.cfg.Links.Sleep(ctx, time.Until(op.AcceptedAt.Add(op.Drawn))); err != nil {
		return err
	}
	if !s.cfg.Links.Up(old.Region, target.Region) {
		return s.reopen(ctx, old, errUnreachable)
	}
	if err := s.promote(ctx, target, false); err != nil {
		return s.reopen(ctx, old, fmt.Errorf("promote %s: %w", target.Cluster, err))
	}
	return nil
}

// reopen lets the old primary accept writes again after a failed switchover.
func (s *Service) reopen(ctx context.Context, old Member, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	if err := s.promote(ctx, old, false); err != nil {
		return errors.Join(cause, fmt.Errorf("reopen %s: %w", old.Cluster, err))
	}
	return cause
}

// reboot restarts an instance. The server itself is the writer instance's; a
// reader's reboot only shows in its status.
func (s *Service) reboot(ctx context.Context, i, j int) {
	m := s.cfg.Members[i]
	id := m.Instances[j]
	s.noteInstance(m, id, "RDS-EVENT-0004", "DB instance shutdown")
	message := "DB instance restarted"
	if j == 0 {
		bound, cancel := context.WithTimeout(ctx, s.cfg.RebootTimeout)
		defer cancel()
		if err := s.cfg.Servers.Reboot(bound, m.Region); err != nil {
			message = fmt.Sprintf("DB instance restart failed: %v", err)
		}
	}
	if ctx.Err() != nil {
		return
	}
	s.edit(m, func(st *state) { st.members[i].instances[j] = available })
	s.noteInstance(m, id, "RDS-EVENT-0006", message)
}

func (s *Service) noteInstance(m Member, id, event, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(time.Now(), m.Region, id, event, message)
}
