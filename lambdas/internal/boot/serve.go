package boot

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Process is what a function's process has when it starts.
type Process struct {
	Settings Settings
	*Parts
	Log *slog.Logger
}

// Serve is a function's main: it reads the environment, builds the handler and serves
// Lambda's Runtime API until the process ends. Lines of JSON go to standard output: what
// each invocation came to, and every event as an embedded metric.
//
// A function that can't be built answers every invocation with the reason. A process that
// ended instead would be started again for each invocation, and its caller would not learn
// the reason.
func Serve(f Function, build func(Process) (lambda.Handler, error)) {
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("function", f)
	h, err := Start(f, os.Getenv, os.Stdout, log, build)
	if err != nil {
		log.Error("the function can't work", "err", err)
		h = refusing{err}
	}
	host := NewHost(h, log)
	lambda.StartWithOptions(host, lambda.WithContext(ctx), lambda.WithEnableSIGTERM(func() {
		host.End(cancel)
		os.Exit(0)
	}))
}

// Start builds a function's handler from its environment. Events are written to w.
func Start(f Function, getenv func(string) string, w io.Writer, log *slog.Logger, build func(Process) (lambda.Handler, error)) (lambda.Handler, error) {
	s, err := Parse(f, getenv)
	if err != nil {
		return nil, err
	}
	trace, err := Events(s, w)
	if err != nil {
		return nil, err
	}
	parts, err := New(s, trace, log)
	if err != nil {
		return nil, err
	}
	h, err := build(Process{Settings: s, Parts: parts, Log: log})
	if err != nil {
		return nil, errors.Join(err, parts.Close())
	}
	if parts.Announcer != nil {
		h = beside{h, parts.Announcer.Run}
	}
	for _, l := range parts.Logins {
		h = beside{h, l.Prepare}
	}
	if parts.Keep != nil {
		h = beside{h, parts.Keep}
	}
	return h, nil
}

// beside does something else beside the invocations of a handler.
type beside struct {
	lambda.Handler
	run func(context.Context)
}

func (b beside) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	life, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer end()
	wg.Go(func() { b.run(life) })
	return b.Handler.Invoke(ctx, payload)
}

// keepAfter is when spare connections are made: after the first renewals, which a process
// that has just taken over owes first.
const keepAfter = 2 * time.Second

// later runs something after a while.
func later(after time.Duration, run func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		timer := time.NewTimer(after)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
			run(ctx)
		}
	}
}

// refusing answers every invocation with an error.
type refusing struct{ err error }

func (r refusing) Invoke(context.Context, []byte) ([]byte, error) { return nil, r.err }

// Host stands between Lambda and a handler: it logs what each invocation came to, and
// ends the process when it can't be of use any more.
type Host struct {
	handler lambda.Handler
	log     *slog.Logger
	busy    chan struct{} // has an element during an invocation
}

// NewHost returns a handler's host.
func NewHost(h lambda.Handler, log *slog.Logger) *Host {
	return &Host{handler: h, log: log, busy: make(chan struct{}, 1)}
}

// Invoke implements lambda.Handler.
func (h *Host) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	h.busy <- struct{}{}
	defer func() { <-h.busy }()
	began := time.Now()
	out, err := h.handler.Invoke(ctx, payload)
	log := h.log.With("took", time.Since(began).Round(time.Millisecond).String())
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("request", lc.AwsRequestID)
	}
	if err == nil {
		log.InfoContext(ctx, "answered", "answer", json.RawMessage(out))
		return out, nil
	}
	log.ErrorContext(ctx, "failed", "err", err)
	if Expired(err) {
		// The runtime ends the process after it has reported this.
		return nil, messages.InvokeResponse_Error{Type: "CredentialsExpired", Message: errors.Join(ErrExpired, err).Error(), ShouldExit: true}
	}
	return nil, err
}

// answerTime is what the runtime is given to deliver an answer before the process ends.
const answerTime = 50 * time.Millisecond

// End calls off the invocation that runs and waits until its answer is on its way. Lambda
// kills a process 500 ms after SIGTERM (Lambda developer guide, runtime environment,
// shutdown phase): enough to release the monitor lease; if it isn't released, it expires.
func (h *Host) End(cancel context.CancelFunc) {
	cancel()
	if len(h.busy) == 0 {
		return
	}
	h.busy <- struct{}{} // and keeps another one from beginning
	<-time.After(answerTime)
}
