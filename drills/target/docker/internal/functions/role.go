package functions

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
)

// Role is a Region's Lambda service; it has no settings. It adds
//
//	POST /lambda/configure    with a Config body: a new service in place of the old one
//	POST /lambda/start        begins the schedule, with a tick at once
//	POST /lambda/stop         ends every process
//	POST /lambda/inject?fault=FAULT, /lambda/heal?fault=FAULT
//	GET  /lambda/status, /lambda/marks[?since=N]
//	POST /lambda/acknowledge?by=WHO&reason=WHY
//
// to the control API. Marks are kept until the next configure.
func Role(ctx context.Context, h *host.Host) error {
	k := &keeper{log: h.Log, heals: map[string]func() error{}}
	handle := func(pattern string, f func(*service, *http.Request) (any, error)) {
		h.Control.Handle(pattern, func(r *http.Request) (any, error) {
			s, err := k.service()
			if err != nil {
				return nil, err
			}
			return f(s, r)
		})
	}
	h.Control.Handle("POST /lambda/configure", func(r *http.Request) (any, error) {
		var cfg Config
		if err := json.NewDecoder(r.Body).Decode(&cfg); err != nil {
			return nil, control.BadRequest(err)
		}
		return struct{}{}, k.configure(cfg)
	})
	h.Control.Handle("POST /lambda/stop", func(*http.Request) (any, error) {
		k.stop()
		return struct{}{}, nil
	})
	handle("POST /lambda/start", func(s *service, _ *http.Request) (any, error) { return struct{}{}, s.start() })
	handle("POST /lambda/inject", func(s *service, r *http.Request) (any, error) { return k.inject(s, r.FormValue("fault")) })
	handle("POST /lambda/heal", func(_ *service, r *http.Request) (any, error) {
		return struct{}{}, k.heal(r.FormValue("fault"))
	})
	handle("POST /lambda/acknowledge", func(s *service, r *http.Request) (any, error) {
		return struct{}{}, s.acknowledge(r.Context(), r.FormValue("by"), r.FormValue("reason"))
	})
	handle("GET /lambda/status", func(s *service, _ *http.Request) (any, error) { return s.state(), nil })
	handle("GET /lambda/marks", func(s *service, r *http.Request) (any, error) {
		since, err := control.Query(r, "since", 0, strconv.Atoi)
		if err != nil {
			return nil, err
		}
		return s.after(since)
	})
	h.Ready()
	<-ctx.Done()
	k.stop()
	return nil
}

// keeper has the service of the drill that runs.
type keeper struct {
	log *slog.Logger

	mu      sync.Mutex
	current *service
	heals   map[string]func() error // of what is injected, by fault
}

var errNotConfigured = control.BadRequest(errors.New("functions: not configured: call /lambda/configure first"))

func (k *keeper) service() (*service, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current == nil {
		return nil, errNotConfigured
	}
	return k.current, nil
}

func (k *keeper) configure(cfg Config) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.end()
	s, err := open(cfg, k.log)
	if err != nil {
		return err
	}
	k.current = s
	return nil
}

func (k *keeper) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.end()
}

// end ends the service, if there is one. The lock must be held.
func (k *keeper) end() {
	if k.current != nil {
		k.current.close()
	}
	k.current = nil
	clear(k.heals)
}

func (k *keeper) inject(s *service, text string) (Injected, error) {
	f, err := fault.Parse(text)
	if err != nil {
		return Injected{}, control.BadRequest(err)
	}
	heal, done, err := s.inject(f)
	if err != nil {
		return Injected{}, err
	}
	k.mu.Lock()
	before := k.heals[f.String()]
	k.heals[f.String()] = heal
	k.mu.Unlock()
	if before != nil {
		return done, before()
	}
	return done, nil
}

// heal heals a fault; what is not injected needs none.
func (k *keeper) heal(f string) error {
	k.mu.Lock()
	heal := k.heals[f]
	delete(k.heals, f)
	k.mu.Unlock()
	if heal == nil {
		return nil
	}
	return heal()
}
