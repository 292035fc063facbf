// Package monitor is the function that watches, keeps its Region's lease and reports.
//
// A tick a minute starts it; it works until the next one has taken over. In a member
// Region it runs an agent with a guard, which asks the Region's trigger when the other
// Region looks lost, and publishes the role metric; in the witness Region it observes
// and reports. Which of several processes of a Region works is decided by Config.Hold.
//
// A tick carries nothing: whatever the payload, an invocation asks for the monitor lease. A
// caller that may invoke the function can start it once more; the monitor lease makes that
// harmless.
package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Hold runs work while this process holds its Region's monitor lease, and returns when another
// process has taken over or ctx is about to end. process names the invocation.
type Hold func(ctx context.Context, process string, work func(context.Context) error) error

// Publisher publishes in the local Region which Region has the writer.
type Publisher interface {
	Redirect(ctx context.Context, to dr.Region, e dr.Epoch) error
}

// Config says what the monitor consists of.
type Config struct {
	Agent Agent // a Member or a Witness
	Hold  Hold
	// Role publishes the role metric; nil in the witness Region.
	Role Publisher
	// Every is the time between two of its datapoints. Default 30 s, at most that: the
	// alarms judge whole minutes, and a point per minute would now and then leave one
	// without (terraform/modules/dns).
	Every time.Duration
	// Fatal reports whether an error means that this process can do nothing any more.
	// The monitor lease is then released and the error returned. Optional.
	Fatal func(error) bool
}

// Handler is the function.
type Handler struct {
	cfg Config
	common
}

const defaultEvery = 30 * time.Second

// New returns the function, or everything that its configuration lacks.
func New(cfg Config) (*Handler, error) {
	var errs []error
	if cfg.Hold == nil {
		errs = append(errs, errors.New("monitor: Hold is nil"))
	}
	switch {
	case cfg.Agent == nil:
		errs = append(errs, errors.New("monitor: Agent is nil: give a Member or a Witness"))
	case cfg.Agent.common().member && cfg.Role == nil:
		errs = append(errs, errors.New("monitor: Role is required in a member Region"))
	}
	if cfg.Agent != nil {
		errs = append(errs, cfg.Agent.check())
	}
	if cfg.Every < 0 || cfg.Every > defaultEvery {
		errs = append(errs, fmt.Errorf("monitor: Every %v is not within 0 and %v: a minute would be left without a datapoint", cfg.Every, defaultEvery))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Every == 0 {
		cfg.Every = defaultEvery
	}
	return &Handler{cfg, cfg.Agent.common()}, nil
}

// Answer is what an invocation returns, for the log: no caller waits for it.
type Answer struct {
	Region dr.Region `json:"region"`
	// Held counts how often this process got the monitor lease, Worked how long it worked in
	// all, in milliseconds. Both are 0 for a tick that came twice.
	Held   int   `json:"held"`
	Worked int64 `json:"worked_ms"`
}

// Invoke implements lambda.Handler. It returns after the handover guard of each time that
// this process had the monitor lease: see [failover.Monitor.StayBehind]. One whose ctx is called off, as by
// SIGTERM, has no time for that, and leaves the writer to the next process.
func (h *Handler) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	process := "unnamed"
	if lc, ok := lambdacontext.FromContext(ctx); ok && lc.AwsRequestID != "" {
		process = lc.AwsRequestID
	}
	a := Answer{Region: h.region}
	var behind sync.WaitGroup
	err := h.cfg.Hold(ctx, process, func(holding context.Context) error {
		began := time.Now()
		defer func() {
			a.Held++
			a.Worked += time.Since(began).Milliseconds()
		}()
		return h.work(holding, func(agent worker) { behind.Go(func() { agent.StayBehind(ctx) }) })
	})
	behind.Wait()
	if err != nil {
		return nil, fmt.Errorf("monitor: %s, after holding the monitor lease %d times, %v in all: %w", a.Region, a.Held, time.Duration(a.Worked)*time.Millisecond, err)
	}
	return json.Marshal(a)
}

// publish says, while this process holds the monitor lease, where the writer is: what a strongly consistent
// read of the lease has confirmed a moment before, and nothing otherwise. A Region that is
// cut off and repeats what it believed would steer clients wrong for as long as the cut
// lasts; its silence doesn't.
func (h *Handler) publish(ctx context.Context, trace *dr.Trace) {
	tick := time.NewTicker(h.cfg.Every)
	defer tick.Stop()
	for {
		if err := h.publishOnce(ctx); err != nil && ctx.Err() == nil {
			trace.OnProblem(dr.Problem{At: time.Now(), Region: h.region, Op: "publish where the writer is", Err: err})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *Handler) publishOnce(ctx context.Context) error {
	read, cancel := context.WithTimeout(ctx, h.policy.CallTimeout)
	l, err := h.leaser.ReadLease(read)
	cancel()
	if err != nil {
		return err
	}
	put, cancel := context.WithTimeout(ctx, 2*h.policy.CallTimeout)
	defer cancel()
	return h.cfg.Role.Redirect(put, l.Holder, l.Epoch)
}
