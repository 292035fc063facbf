// Package control is how the test process and a container talk: JSON over HTTP
// on one port, which no injected fault cuts.
//
// It also keeps containers from outliving the test. The test process holds one
// request open to each container, its lifeline. However that process ends, the
// kernel closes the connection, and the container ends too.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Port is the TCP port of the control API in every container.
const Port = 9990

// ErrOrphaned says that the test process no longer holds the lifeline.
var ErrOrphaned = errors.New("control: the test process is gone")

// Lifeline says how long a container lives without the test process.
type Lifeline struct {
	// First is how long the first lifeline may take to come; zero means 60 s.
	First time.Duration
	// Grace is how long it may be missing later; zero means 5 s.
	Grace time.Duration
}

// Server is a container's control API.
type Server struct {
	mux      *http.ServeMux
	lifeline Lifeline

	mu      sync.Mutex
	held    int           // open lifelines
	changed chan struct{} // closed and replaced when held changes
	ever    bool
}

// NewServer returns a Server that answers nothing but the lifeline.
func NewServer(l Lifeline) *Server {
	if l.First == 0 {
		l.First = time.Minute
	}
	if l.Grace == 0 {
		l.Grace = 5 * time.Second
	}
	s := &Server{mux: http.NewServeMux(), lifeline: l, changed: make(chan struct{})}
	s.mux.HandleFunc("GET /lifeline", s.hold)
	return s
}

// Handle answers requests that match pattern (as in [http.ServeMux]) with what
// fn returns, as JSON. An error is answered with its text, and with status 400
// if fn made it with [BadRequest], else 500.
func (s *Server) Handle(pattern string, fn func(*http.Request) (any, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v, err := fn(r)
		if err != nil {
			status := http.StatusInternalServerError
			if errors.As(err, new(badRequest)) {
				status = http.StatusBadRequest
			}
			http.Error(w, err.Error(), status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// The only failure left is a client that went away.
		_ = json.NewEncoder(w).Encode(v)
	})
}

type badRequest struct{ error }

func (b badRequest) Unwrap() error { return b.error }

// BadRequest marks an error as the caller's fault.
func BadRequest(err error) error { return badRequest{err} }

// Query reads a request's parameter by parse; without one it returns the
// fallback. An error is the caller's.
func Query[T any](r *http.Request, name string, fallback T, parse func(string) (T, error)) (T, error) {
	text := r.FormValue(name)
	if text == "" {
		return fallback, nil
	}
	v, err := parse(text)
	if err != nil {
		return fallback, BadRequest(fmt.Errorf("control: parameter %s: %w", name, err))
	}
	return v, nil
}

// Run serves l until ctx ends, and then returns nil, or until the lifeline is
// lost, and then returns ErrOrphaned.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{Handler: s.mux, BaseContext: func(net.Listener) context.Context { return ctx }}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()

	err := s.watch(ctx, failed)
	cancel()
	srv.Close()
	return err
}

// watch returns when ctx ends, the server failed, or the lifeline was not held for too long.
func (s *Server) watch(ctx context.Context, failed <-chan error) error {
	for {
		s.mu.Lock()
		held, ever, changed := s.held, s.ever, s.changed
		s.mu.Unlock()
		var lost <-chan time.Time
		switch {
		case held > 0:
		case ever:
			lost = time.After(s.lifeline.Grace)
		default:
			lost = time.After(s.lifeline.First)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return fmt.Errorf("control: serve: %w", err)
		case <-lost:
			return ErrOrphaned
		case <-changed:
		}
	}
}

func (s *Server) hold(w http.ResponseWriter, r *http.Request) {
	s.count(1)
	defer s.count(-1)
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func (s *Server) count(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held += by
	s.ever = true
	close(s.changed)
	s.changed = make(chan struct{})
}
