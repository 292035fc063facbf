package link

import (
	"context"
	"net/http"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
)

// Role routes between two Regions with delay; its settings are a Config. It adds
//
//	POST /lag?flow=NAME&extra=5s[&over=10s]
//
// to the control API: see [Router.Lag].
func Role(ctx context.Context, h *host.Host) error {
	var cfg Config
	if err := h.Decode(&cfg); err != nil {
		return err
	}
	router, err := NewRouter(cfg)
	if err != nil {
		return err
	}
	device, err := Open(cfg.A.Prefix, cfg.B.Prefix)
	if err != nil {
		return err
	}
	h.Control.Handle("POST /lag", func(r *http.Request) (any, error) {
		extra, err := control.Query(r, "extra", 0, time.ParseDuration)
		if err != nil {
			return nil, err
		}
		over, err := control.Query(r, "over", 0, time.ParseDuration)
		if err != nil {
			return nil, err
		}
		if err := router.Lag(r.FormValue("flow"), extra, over); err != nil {
			return nil, control.BadRequest(err)
		}
		return struct{}{}, nil
	})
	h.Ready()
	return router.Run(ctx, device)
}
