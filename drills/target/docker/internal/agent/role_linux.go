package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
)

// Role keeps a Region's agent; it has no settings. It adds
//
//	POST /agent/configure  with a Config body: ends the agent and forgets its marks
//	POST /agent/bootstrap  takes the first epoch for this Region
//	POST /agent/start, /agent/kill[?away=1s]
//	GET  /agent/status, /agent/marks[?since=N], /agent/explain
//	POST /agent/acknowledge?by=WHO&reason=WHY
//
// to the control API. With away, a killed agent starts again after that time.
func Role(ctx context.Context, h *host.Host) error {
	k := newKeeper(os.Stderr)
	do := func(path string, f func(*http.Request) error) {
		h.Control.Handle("POST /agent/"+path, func(r *http.Request) (any, error) {
			if err := f(r); err != nil {
				return nil, err
			}
			return k.state(), nil
		})
	}
	do("configure", func(r *http.Request) error {
		var cfg Config
		if err := json.NewDecoder(r.Body).Decode(&cfg); err != nil {
			return control.BadRequest(err)
		}
		return k.configure(cfg)
	})
	do("bootstrap", func(r *http.Request) error {
		cfg, err := k.config()
		if err != nil {
			return err
		}
		return cfg.bootstrap(r.Context())
	})
	do("start", func(*http.Request) error { return k.start() })
	do("kill", func(r *http.Request) error {
		away, err := control.Query(r, "away", 0, time.ParseDuration)
		if err != nil {
			return err
		}
		if away > 0 {
			k.killFor(away)
		} else {
			k.kill()
		}
		return nil
	})
	do("acknowledge", func(r *http.Request) error {
		cfg, err := k.config()
		if err != nil {
			return err
		}
		return cfg.acknowledge(r.Context(), r.FormValue("by"), r.FormValue("reason"))
	})
	h.Control.Handle("GET /agent/status", func(*http.Request) (any, error) { return k.state(), nil })
	h.Control.Handle("GET /agent/marks", func(r *http.Request) (any, error) {
		since, err := control.Query(r, "since", 0, strconv.Atoi)
		if err != nil {
			return nil, err
		}
		return k.after(since)
	})
	h.Control.Handle("GET /agent/explain", func(r *http.Request) (any, error) {
		if err := k.ask(); err != nil {
			return nil, err
		}
		select {
		case text := <-k.explains:
			return Explanation{text}, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	})
	h.Ready()
	<-ctx.Done()
	k.kill()
	return nil
}
