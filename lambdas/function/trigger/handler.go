package trigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Config says what the trigger consists of.
type Config struct {
	// Agent is the own Region's, silent and with a Controller. Its OnOutcome is the
	// handler's. A new agent is made for every invocation: the process stands still
	// between two of them, and what an agent has watched is void then.
	Agent failover.AgentConfig
	// Name is the function's own, the same in both members: who asks for the wrong
	// Region is told where to call it.
	Name string
	// Spare is how long before the invocation's deadline it ends, so that an error
	// still reaches who asked. Default 5 s.
	Spare time.Duration
	// Fatal reports whether an error means that this process can do nothing any more.
	// Optional.
	Fatal func(error) bool
	// Log is told who asked, and what became of which execution. Optional.
	Log *slog.Logger
}

// Handler is the function. It handles one invocation at a time, as Lambda does; a second
// one at once, in another process, continues the same execution.
type Handler struct{ cfg Config }

// New returns the function, or everything that its configuration lacks.
func New(cfg Config) (*Handler, error) {
	var errs []error
	if cfg.Agent.Controller == nil || !cfg.Agent.Silent || cfg.Agent.Guard != nil {
		errs = append(errs, errors.New("trigger: Agent must be silent and have a Controller and no Guard: the monitor keeps the lease"))
	}
	if cfg.Name == "" {
		errs = append(errs, errors.New("trigger: Name is empty"))
	}
	if cfg.Spare < 0 {
		errs = append(errs, fmt.Errorf("trigger: Spare %v is negative: give a positive duration, or 0 for 5s", cfg.Spare))
	}
	if _, err := failover.NewAgent(cfg.Agent); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Spare == 0 {
		cfg.Spare = 5 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.Agent.Policy = cfg.Agent.Policy.WithDefaults()
	return &Handler{cfg}, nil
}

// Invoke implements lambda.Handler.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	w, err := event.Parse(payload)
	if err != nil {
		return nil, err
	}
	attrs := []any{"mode", w.Mode, "target_region", w.Target, "reason", w.Reason}
	if w.Acknowledgement != nil {
		attrs = append(attrs, "epoch", w.Acknowledgement.Epoch, "by", w.Acknowledgement.By)
	}
	log := h.cfg.Log
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("request", lc.AwsRequestID)
	}
	log.InfoContext(ctx, "asked", attrs...)
	var heard heard
	a, err := h.heardBy(&heard).Do(ctx, w)
	if err != nil {
		if x := heard.last(); x.Execution != "" {
			log.ErrorContext(ctx, "stopped", "execution", x.Execution, "epoch", x.Epoch, "state", x.State, "code", x.Code, "err", err)
		}
		return nil, err
	}
	if a.Execution != "" {
		log.InfoContext(ctx, "walked", "execution", a.Execution, "epoch", a.Epoch, "state", a.State, "code", a.Code)
	}
	return json.Marshal(a)
}

// Do does what is wished, and returns when the execution has ended or asks a person, or
// when there is nothing to do.
func (h *Handler) Do(ctx context.Context, w event.Request) (event.Response, error) {
	began := time.Now()
	if err := h.addressed(w.Target); err != nil {
		return event.Response{}, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		spared, cancel := context.WithDeadline(ctx, deadline.Add(-h.cfg.Spare))
		defer cancel()
		ctx = spared
	}
	s, err := h.look(ctx)
	if err != nil {
		return event.Response{}, err
	}
	own := h.cfg.Agent.Region
	if w.Mode == event.Acknowledge {
		return h.acknowledge(ctx, s, w, began)
	}
	switch {
	case s.open(own) && s.asks():
		return event.Of(s.last, time.Since(began)), nil
	case !s.open(own) && s.lease.Holder == own:
		return event.Nothing(fmt.Sprintf("%s holds the lease, the writer is here", own), s.last.Report(), time.Since(began)), nil
	case w.Mode == event.Switchover:
		return h.answer(began)(h.walk(ctx, (*failover.Controller).Switchover))
	}
	return h.failover(ctx, s, began)
}

// addressed refuses a request for another Region than the own one.
func (h *Handler) addressed(target dr.Region) error {
	own, t := h.cfg.Agent.Region, h.cfg.Agent.Topology
	switch target {
	case own:
		return nil
	case t.Peer(own):
		return fmt.Errorf("trigger: this function moves the writer to %s; to move it to %s call function %s in %s", own, target, h.cfg.Name, target)
	}
	return fmt.Errorf("trigger: %s holds no member of %s, %v do", target, t.GlobalCluster, t.Members)
}

// acknowledge keeps a person's consent, and goes on with the execution that asked.
func (h *Handler) acknowledge(ctx context.Context, s scene, w event.Request, began time.Time) (event.Response, error) {
	a := failover.Acknowledgement{Epoch: w.Acknowledgement.Epoch, By: w.Acknowledgement.By, Reason: w.Reason}
	switch {
	case s.consented(a) && s.last.State.Ended():
		return event.Of(s.last, time.Since(began)), nil // the answer to the first one was lost
	case s.consented(a) && s.asks():
		return event.Response{}, fmt.Errorf("trigger: execution %s has been acknowledged so, and asks again: %s (%s): remove the cause, then acknowledge it with another reason",
			s.last.ID, s.last.Detail, s.last.Code)
	case !s.consented(a):
		if err := s.consent(h.cfg.Agent.Region, a); err != nil {
			return event.Response{}, err
		}
		call, cancel := context.WithTimeout(ctx, h.cfg.Agent.Policy.CallTimeout)
		err := h.cfg.Agent.Controller.Acknowledger.Acknowledge(call, a)
		cancel()
		if err != nil {
			return event.Response{}, fmt.Errorf("trigger: keep the acknowledgement of epoch %d: %w: send it again", a.Epoch, err)
		}
	}
	return h.answer(began)(h.walk(ctx, func(c *failover.Controller, ctx context.Context) (failover.Execution, error) {
		x, _, err := c.Resume(ctx)
		return x, err
	}))
}

// answer turns what a walk has come to into what is returned.
func (h *Handler) answer(began time.Time) func(failover.Execution, error) (event.Response, error) {
	return func(x failover.Execution, err error) (event.Response, error) {
		if err != nil {
			return event.Response{}, err
		}
		return event.Of(x, time.Since(began)), nil
	}
}

func (h *Handler) fatal(err error) bool { return h.cfg.Fatal != nil && h.cfg.Fatal(err) }
