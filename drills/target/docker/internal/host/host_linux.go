package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/netfault"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/route"
)

// Role is a container's work. It registers its control handlers, calls
// Host.Ready when it can serve, and returns nil when ctx ends, after all that
// it started has ended.
type Role func(ctx context.Context, h *Host) error

// Host is the container as its role sees it.
type Host struct {
	Config   Config
	Control  *control.Server
	Firewall *netfault.Firewall
	Log      *slog.Logger

	mu     sync.Mutex
	status Status
}

// Decode reads the role's settings into v and refuses fields that v doesn't have.
func (h *Host) Decode(v any) error {
	if err := json.Unmarshal(h.Config.Settings, v); err != nil {
		return fmt.Errorf("host: settings of %s: %w", h.Config.Name, err)
	}
	return nil
}

// Ready tells the test process that the role serves.
func (h *Host) Ready() { h.edit(func(s *Status) { s.Ready = true }) }

func (h *Host) edit(f func(*Status)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.status)
}

// Run is the life of a container: it serves the control API and the role that
// cfg names until ctx ends or the test process is gone. A role that fails
// leaves the control API up, so that the test process can read why.
func Run(ctx context.Context, cfg Config, roles map[string]Role, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	h := &Host{
		Config:   cfg,
		Control:  control.NewServer(cfg.Lifeline),
		Firewall: netfault.New(control.Port, netfault.Apply),
		Log:      log.With("node", cfg.Name),
		status:   Status{Name: cfg.Name, Role: cfg.Role},
	}
	h.Control.Handle("GET /status", h.report)
	h.handleFaults()

	listener, err := net.Listen("tcp4", fmt.Sprintf(":%d", control.Port))
	if err != nil {
		return fmt.Errorf("host: listen for control: %w", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := h.work(ctx, roles)
		if err != nil {
			h.Log.Error("role ended", "err", err)
			h.edit(func(s *Status) { s.Ready, s.Error = false, err.Error() })
		}
	}()
	err = h.Control.Run(ctx, listener)
	cancel()
	<-done
	if errors.Is(err, control.ErrOrphaned) {
		h.Log.Info("ending", "why", err)
		return nil
	}
	return err
}

func (h *Host) work(ctx context.Context, roles map[string]Role) error {
	role, ok := roles[h.Config.Role]
	if !ok {
		return fmt.Errorf("host: no role %q, there are %v", h.Config.Role, slices.Sorted(maps.Keys(roles)))
	}
	// Writing an empty table finds out now, not in mid-drill, whether faults work here.
	if err := h.Firewall.HealAll(); err != nil {
		return fmt.Errorf("host: this kernel can't inject network faults (they need nf_tables and CAP_NET_ADMIN): %w", err)
	}
	for _, r := range h.Config.Routes {
		if err := route.Via(r.To, r.Via); err != nil {
			return err
		}
	}
	return role(ctx, h)
}

func (h *Host) report(*http.Request) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.status
	s.Now = clock.Monotonic()
	return s, nil
}
