package clients

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/probe"
)

// Role runs clients and watches; it has no settings. It adds
//
//	POST /load/start    with a Load body
//	POST /load/stop     ends the clients, waits for their last writes, answers with all Ops
//	GET  /load/ops[?since=N], /load/counts
//	POST /watch/start   with a Watch body; one name once
//	POST /watch/stop    ends every watch and forgets it
//	GET  /watch/turns
//	POST /crowd/start   with a Crowd body: answers when the server is full
//	POST /crowd/stop    ends every session of the crowd
//
// to the control API.
func Role(ctx context.Context, h *host.Host) error {
	n := &node{ctx: ctx, watches: map[string]*watcher{}}
	n.reset()
	h.Control.Handle("POST /load/start", n.loadStart)
	h.Control.Handle("POST /load/stop", n.loadStop)
	h.Control.Handle("GET /load/ops", n.loadOps)
	h.Control.Handle("GET /load/counts", func(*http.Request) (any, error) {
		w, err := n.running()
		if err != nil {
			return nil, err
		}
		return w.counts(), nil
	})
	h.Control.Handle("POST /watch/start", n.watchStart)
	h.Control.Handle("POST /watch/stop", func(*http.Request) (any, error) {
		n.endWatches()
		return struct{}{}, nil
	})
	h.Control.Handle("GET /watch/turns", n.watchTurns)
	h.Control.Handle("POST /crowd/start", n.crowdStart)
	h.Control.Handle("POST /crowd/stop", func(*http.Request) (any, error) { return n.endCrowd(), nil })
	h.Ready()
	<-ctx.Done()
	n.endCrowd()
	n.endWatches()
	if w, err := n.running(); err == nil {
		<-w.done
	}
	return nil
}

// node is what runs.
type node struct {
	ctx context.Context // of the role: what is started by a call outlives the call

	mu       sync.Mutex
	load     *writers // nil before the first start
	crowd    *crowd   // nil while there is none
	watches  map[string]*watcher
	prober   *probe.Prober
	stop     context.CancelFunc // ends watches
	watching *sync.WaitGroup
	watchCtx context.Context
}

var errNoLoad = control.BadRequest(errors.New("clients: no load has been started"))

func (n *node) running() (*writers, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.load == nil {
		return nil, errNoLoad
	}
	return n.load, nil
}

func (n *node) loadStart(r *http.Request) (any, error) {
	var l Load
	if err := json.NewDecoder(r.Body).Decode(&l); err != nil {
		return nil, control.BadRequest(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.load != nil {
		select {
		case <-n.load.done:
		default:
			return nil, control.BadRequest(errors.New("clients: a load is running: stop it first"))
		}
	}
	w, err := start(n.ctx, l)
	if err != nil {
		return nil, control.BadRequest(err)
	}
	n.load = w
	return struct{}{}, nil
}

func (n *node) loadStop(r *http.Request) (any, error) {
	w, err := n.running()
	if err != nil {
		return nil, err
	}
	if err := w.end(r.Context()); err != nil {
		return nil, err
	}
	return w.after(0)
}

func (n *node) loadOps(r *http.Request) (any, error) {
	w, err := n.running()
	if err != nil {
		return nil, err
	}
	first, err := control.Query(r, "since", 0, strconv.Atoi)
	if err != nil {
		return nil, err
	}
	return w.after(first)
}

func (n *node) watchStart(r *http.Request) (any, error) {
	var spec Watch
	if err := json.NewDecoder(r.Body).Decode(&spec); err != nil {
		return nil, control.BadRequest(err)
	}
	if err := spec.Validate(); err != nil {
		return nil, control.BadRequest(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.watches[spec.Name] != nil {
		return nil, control.BadRequest(errors.New("clients: watch " + spec.Name + " is running"))
	}
	w := &watcher{Watch: spec, prober: n.prober}
	n.watches[spec.Name] = w
	ctx := n.watchCtx
	n.watching.Go(func() { w.run(ctx) })
	return struct{}{}, nil
}

func (n *node) watchTurns(*http.Request) (any, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	turns := Turns{}
	for name, w := range n.watches {
		turns[name] = w.seen()
	}
	return turns, nil
}

// endWatches ends every watch, waits for its last questions, and forgets it.
func (n *node) endWatches() {
	n.mu.Lock()
	stop, watching, prober := n.stop, n.watching, n.prober
	n.reset()
	n.mu.Unlock()
	stop()
	watching.Wait()
	prober.Close()
}

// reset makes room for new watches. The caller holds the lock, or is the only goroutine.
func (n *node) reset() {
	clear(n.watches)
	n.prober, n.watching = &probe.Prober{}, &sync.WaitGroup{}
	n.watchCtx, n.stop = context.WithCancel(n.ctx)
}

func (n *node) crowdStart(r *http.Request) (any, error) {
	var cfg Crowd
	if err := json.NewDecoder(r.Body).Decode(&cfg); err != nil {
		return nil, control.BadRequest(err)
	}
	if err := cfg.Validate(); err != nil {
		return nil, control.BadRequest(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.crowd != nil {
		return nil, control.BadRequest(errors.New("clients: a crowd is there: stop it first"))
	}
	c, err := fill(r.Context(), n.ctx, cfg)
	if err != nil {
		return nil, err
	}
	n.crowd = c
	return Crowded{Sessions: c.size()}, nil
}

// endCrowd ends the crowd, if there is one.
func (n *node) endCrowd() Crowded {
	n.mu.Lock()
	c := n.crowd
	n.crowd = nil
	n.mu.Unlock()
	if c == nil {
		return Crowded{}
	}
	return Crowded{Sessions: c.end()}
}
