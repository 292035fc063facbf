package mysqld

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
)

// Role runs a database host; its settings are a Config. It boots the server
// read-only and adds to the control API
//
//	GET  /db/status
//	POST /db/start, /db/kill, /db/thaw, /db/reboot, /db/reset
//	POST /db/freeze[?host=true]
//	POST /db/replicate?source=HOST:PORT
//	POST /db/exec, /db/query   with a Statements body
//
// All but query answer with a Status.
func Role(ctx context.Context, h *host.Host) error {
	var cfg Config
	if err := h.Decode(&cfg); err != nil {
		return err
	}
	s, err := New(cfg, h.Firewall, os.Stderr, h.Log)
	if err != nil {
		return err
	}
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	s.handle(h.Control)
	h.Ready()
	return s.Run(ctx)
}

func (s *Server) handle(c *control.Server) {
	do := func(path string, f func(*http.Request) error) {
		c.Handle("POST /db/"+path, func(r *http.Request) (any, error) {
			if err := f(r); err != nil {
				return nil, err
			}
			return s.Status(), nil
		})
	}
	c.Handle("GET /db/status", func(*http.Request) (any, error) { return s.Status(), nil })
	do("start", func(r *http.Request) error { return s.Start(r.Context()) })
	do("kill", func(*http.Request) error { return s.Kill() })
	do("freeze", func(r *http.Request) error {
		whole, err := control.Query(r, "host", false, strconv.ParseBool)
		if err != nil {
			return err
		}
		return s.Freeze(whole)
	})
	do("thaw", func(*http.Request) error { return s.Thaw() })
	do("reboot", func(*http.Request) error { return s.Reboot() })
	do("reset", func(r *http.Request) error { return s.Reset(r.Context()) })
	do("replicate", func(r *http.Request) error { return s.Replicate(r.Context(), r.FormValue("source")) })
	do("exec", func(r *http.Request) error {
		body, err := statements(r)
		if err != nil {
			return err
		}
		return s.Exec(r.Context(), body.SQL...)
	})
	c.Handle("POST /db/query", func(r *http.Request) (any, error) {
		body, err := statements(r)
		if err != nil {
			return nil, err
		}
		return s.Query(r.Context(), body.SQL...)
	})
}

func statements(r *http.Request) (Statements, error) {
	var body Statements
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return body, control.BadRequest(err)
	}
	return body, nil
}
