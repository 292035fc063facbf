package trigger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// scene is what the store says before anything is done.
type scene struct {
	lease failover.Lease // zero when none was ever taken
	last  failover.Execution
	ack   *failover.Acknowledgement // of last's epoch; nil when there is none
	// claims says that the local Region's monitor has lately claimed a writer that a person
	// or another tool has moved here.
	claims bool
}

// begun reports whether an execution has begun. One that is Steady only carries what a
// person has asked for before the first.
func (s scene) begun() bool { return s.last.ID != "" && s.last.State != failover.Steady }

// open reports whether an execution to a Region waits for its end.
func (s scene) open(to dr.Region) bool {
	return s.begun() && !s.last.State.Ended() && s.last.To == to
}

// owes reports whether people have not been told yet how the last execution to a Region
// has ended.
func (s scene) owes(own dr.Region) bool {
	return s.begun() && s.last.State.Ended() && s.last.To == own && len(s.last.Owed) > 0
}

// underWay reports whether an execution to another Region waits for its end.
func (s scene) underWay(own dr.Region) bool {
	return s.begun() && !s.last.State.Ended() && s.last.To != own
}

// ended reports whether an execution to a Region has come to its end since an earlier
// scene. One whose question has become moot doesn't count.
func (s scene) ended(before scene, to dr.Region) bool {
	if s.last.To != to || !s.last.State.Ended() || s.moot(before) {
		return false
	}
	return s.last.ID != before.last.ID || before.open(to)
}

// moot reports whether the question that an earlier scene asked needs no answer any more.
func (s scene) moot(before scene) bool {
	return s.last.ID == before.last.ID && before.last.State == failover.AwaitingApproval && s.last.State == failover.Aborted
}

// asks reports whether the last execution can only wait for a person. It could do
// without one when consent has come, when the Region that it gave up has renewed its
// lease before anything was touched, or when a newer epoch makes it void: then a
// controller that resumes it sees so. One that can only wait is looked at once.
func (s scene) asks() bool {
	x, l := s.last, s.lease
	switch {
	case x.State != failover.AwaitingApproval || len(x.Owed) > 0:
		return false
	case s.claims: // then the execution goes on without an answer
		return false
	case s.ack != nil && (x.Ack == nil || *x.Ack != *s.ack):
		return false
	case l.Epoch > x.Epoch, l.Epoch == x.Epoch && l.Execution != x.ID:
		return false
	case x.Mode == failover.ModeFailover && x.Asked == failover.Confirmed && l.Epoch < x.Epoch && l.Served != x.Evidence.LeaseServed:
		return false
	}
	return true
}

// consented reports whether the last execution has taken exactly this consent: then the
// same acknowledgement, repeated, changes nothing.
func (s scene) consented(a failover.Acknowledgement) bool {
	return s.last.Ack != nil && *s.last.Ack == a
}

// look reads the scene, and asks again until it is told or patience is over. What a newer
// version has written is not read by asking again.
func (h *Handler) look(ctx context.Context) (scene, error) {
	ctx, cancel := context.WithTimeout(ctx, Window(h.cfg.Agent.Policy))
	defer cancel()
	for {
		s, err := h.read(ctx)
		switch {
		case err == nil || h.fatal(err):
			return s, err
		case failover.IsNewer(err):
			return scene{}, fmt.Errorf("trigger: read the lease and the journal from %[1]s: %[2]w; nothing was done: deploy the newer functions in %[1]s", h.cfg.Agent.Region, err)
		}
		if pause(ctx, h.cfg.Agent.Policy.PollInterval) != nil {
			return scene{}, fmt.Errorf("trigger: read the lease and the journal from %s: %w", h.cfg.Agent.Region, err)
		}
	}
}

func (h *Handler) read(ctx context.Context) (s scene, err error) {
	call, cancel := context.WithTimeout(ctx, h.cfg.Agent.Policy.CallTimeout)
	defer cancel()
	if s.lease, err = h.cfg.Agent.Leaser.ReadLease(call); err != nil && !errors.Is(err, failover.ErrNoLease) {
		return scene{}, err
	}
	e, err := h.cfg.Agent.Controller.Journal.Latest(call)
	if err == nil {
		err = e.Readable()
	}
	if errors.Is(err, failover.ErrNoEntry) {
		return s, nil
	}
	if err != nil {
		return scene{}, err
	}
	if s.last = e.Execution; s.last.State != failover.AwaitingApproval {
		return s, nil
	}
	all, err := h.cfg.Agent.Reports.Reports(call)
	if err != nil {
		return scene{}, err
	}
	s.claims = h.claims(all)
	a, err := h.cfg.Agent.Controller.Acknowledger.Acknowledgement(call, s.last.ID, s.last.Question.ID)
	switch {
	case err == nil:
		s.ack = &a
	case !errors.Is(err, failover.ErrNotAcknowledged):
		return scene{}, err
	}
	return s, nil
}

// claims reports whether the local Region's monitor has lately claimed the writer.
func (h *Handler) claims(all []failover.Report) bool {
	return slices.ContainsFunc(all, func(r failover.Report) bool {
		// Both are processes of one Region, whose clocks agree well enough for this.
		return r.Region == h.cfg.Agent.Region && r.Claims && time.Since(r.At) < claimFor
	})
}

// claimed reports whether the writer may have been moved here by other hands: then it is
// adopted, which is no move. Reports that can't be read say nothing against it.
func (h *Handler) claimed(ctx context.Context) bool {
	call, cancel := context.WithTimeout(ctx, h.cfg.Agent.Policy.CallTimeout)
	defer cancel()
	all, err := h.cfg.Agent.Reports.Reports(call)
	return err != nil || h.claims(all)
}

// claimFor is how long a monitor's claim counts.
const claimFor = 10 * time.Second

// Window is how long the trigger looks for evidence: the samples that a verdict needs,
// one interval until the lease is known, one in which the Region's monitor reports what
// it has seen, and the last sample's deadline.
func Window(p dr.Policy) time.Duration {
	p = p.WithDefaults()
	return time.Duration(p.Confirm+2)*p.ProbeInterval + p.ProbeTimeout
}

// idle reports whether nothing will come of looking any longer. What is dark but not
// proven is given the time in which a Region may heal its own writer.
func idle(p dr.Policy, elapsed time.Duration, v health.Verdict) bool {
	limit := Window(p)
	if v.State == health.Degraded || v.State == health.Impaired {
		limit += p.WithDefaults().InRegionGrace
	}
	return elapsed >= limit
}

// conclude says what it means that nothing has begun.
func conclude(e failover.Explanation, last error, took time.Duration) (event.Response, error) {
	switch {
	case e.Verdict.State == health.Impaired:
		return event.Response{}, fmt.Errorf("trigger: %s is impaired, and no failover could begin: %w", e.Verdict.Subject, orUnsaid(last))
	case e.Verdict.Subject == "":
		return event.Response{}, fmt.Errorf("trigger: nothing could be observed: %w", orUnsaid(last))
	}
	return event.Nothing(fmt.Sprintf("%s is %s", e.Verdict.Subject, e.Verdict.State), e.String(), took), nil
}

func orUnsaid(err error) error {
	if err == nil {
		return errors.New("no problem was reported: is the lease taken?")
	}
	return err
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
