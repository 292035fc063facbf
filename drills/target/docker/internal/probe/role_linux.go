package probe

import (
	"context"
	"net/http"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
)

// Role answers probes; it has no settings. It adds
//
//	POST /probe/dial?addr=HOST:PORT[&timeout=2s]
//	POST /probe/sql?addr=HOST:PORT&user=U&password=P&sql=S[&keep=NAME][&timeout=2s]
//
// to the control API; both answer with an Answer.
func Role(ctx context.Context, h *host.Host) error {
	var p Prober
	defer p.Close()
	handle := func(path string, f func(context.Context, *http.Request) Answer) {
		h.Control.Handle("POST /probe/"+path, func(r *http.Request) (any, error) {
			timeout, err := control.Query(r, "timeout", 2*time.Second, time.ParseDuration)
			if err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(r.Context(), timeout)
			defer cancel()
			return f(ctx, r), nil
		})
	}
	handle("dial", func(ctx context.Context, r *http.Request) Answer { return p.Dial(ctx, r.FormValue("addr")) })
	handle("sql", func(ctx context.Context, r *http.Request) Answer {
		return p.SQL(ctx, r.FormValue("addr"), r.FormValue("user"), r.FormValue("password"), r.FormValue("keep"), r.FormValue("sql"))
	})
	h.Ready()
	<-ctx.Done()
	return nil
}
