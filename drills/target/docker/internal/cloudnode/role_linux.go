package cloudnode

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Role runs the emulated control plane; it has no settings. It adds
//
//	POST /cloud/start    with a Config body: a new cloud in place of the old one
//	POST /cloud/stop
//	POST /cloud/link?a=REGION&b=REGION&up=BOOL
//	POST /cloud/silence?region=REGION&on=BOOL
//	POST /cloud/throttle?region=REGION[&for=5s]   the RDS API; without for no more
//	POST /cloud/fault?fault=FAULT&on=BOOL         as cloud.ParseFault reads it
//	POST /cloud/console?how=HOW&region=REGION     a person moves the writer there
//	GET  /cloud/writer, /cloud/events, /cloud/throttled, /cloud/refused, /cloud/lease
//
// to the control API.
func Role(ctx context.Context, h *host.Host) error {
	n := &node{ctx: ctx}
	h.Control.Handle("POST /cloud/start", n.start)
	h.Control.Handle("POST /cloud/stop", func(*http.Request) (any, error) { return struct{}{}, n.stop() })
	h.Control.Handle("POST /cloud/link", n.link)
	h.Control.Handle("POST /cloud/silence", n.silence)
	h.Control.Handle("POST /cloud/throttle", n.throttle)
	h.Control.Handle("POST /cloud/fault", n.fault)
	h.Control.Handle("POST /cloud/console", n.console)
	h.Control.Handle("GET /cloud/writer", n.with(func(i *instance) (any, error) { return Writer{i.cloud.Writer()}, nil }))
	h.Control.Handle("GET /cloud/throttled", n.with(func(i *instance) (any, error) { return i.counted.throttled.read(), nil }))
	h.Control.Handle("GET /cloud/refused", n.with(func(i *instance) (any, error) { return i.counted.refused.read(), nil }))
	h.Control.Handle("GET /cloud/lease", n.with(func(i *instance) (any, error) {
		return i.cloud.Items(i.cfg.Table, i.cfg.GlobalCluster, "lease"), nil
	}))
	h.Control.Handle("GET /cloud/events", n.with(func(i *instance) (any, error) {
		e := Events{Events: i.cloud.Events()}
		for _, o := range i.cloud.Operations() {
			e.Operations = append(e.Operations, operation(o))
		}
		for _, p := range i.cloud.Published() {
			e.Messages = append(e.Messages, Message{At: onClock(p.At), Region: p.Region, Subject: p.Subject})
		}
		return e, nil
	}))
	h.Ready()
	<-ctx.Done()
	return n.stop()
}

type node struct {
	ctx context.Context // of the role: a cloud outlives the call that started it

	mu      sync.Mutex
	current *instance
	// muted are what lifts the silence of each silent Region, throttled what lifts
	// the throttling of its RDS API, faults what lifts each fault of /cloud/fault.
	muted, throttled map[dr.Region]func()
	faults           map[string]func()
}

func (n *node) start(r *http.Request) (any, error) {
	var cfg Config
	if err := json.NewDecoder(r.Body).Decode(&cfg); err != nil {
		return nil, control.BadRequest(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.end(); err != nil {
		return nil, err
	}
	i, err := open(n.ctx, cfg)
	if err != nil {
		return nil, err
	}
	i.start()
	n.current, n.muted, n.throttled, n.faults = i, map[dr.Region]func(){}, map[dr.Region]func(){}, map[string]func(){}
	return i.info(), nil
}

func (n *node) stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.end()
}

// end ends the current cloud, if there is one. The lock must be held.
func (n *node) end() error {
	if n.current == nil {
		return nil
	}
	err := n.current.end()
	n.current = nil
	return err
}

var errNotStarted = control.BadRequest(errors.New("cloudnode: no cloud has been started"))

func (n *node) with(f func(*instance) (any, error)) func(*http.Request) (any, error) {
	return func(*http.Request) (any, error) {
		n.mu.Lock()
		i := n.current
		n.mu.Unlock()
		if i == nil {
			return nil, errNotStarted
		}
		return f(i)
	}
}

func (n *node) link(r *http.Request) (any, error) {
	up, err := control.Query(r, "up", true, strconv.ParseBool)
	if err != nil {
		return nil, err
	}
	a, b := dr.Region(r.FormValue("a")), dr.Region(r.FormValue("b"))
	return n.with(func(i *instance) (any, error) {
		i.cloud.SetLink(a, b, up)
		return struct{}{}, nil
	})(r)
}

// silence makes a Region's API and name server answer no request, and its servers
// unreachable.
func (n *node) silence(r *http.Request) (any, error) {
	on, err := control.Query(r, "on", true, strconv.ParseBool)
	if err != nil {
		return nil, err
	}
	region := dr.Region(r.FormValue("region"))
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil {
		return nil, errNotStarted
	}
	n.current.servers.silence(region, on)
	lift := n.muted[region]
	switch {
	case on && lift == nil:
		n.muted[region] = n.current.cloud.SetFault(cloud.On(region, "", "").Hang())
	case !on && lift != nil:
		lift()
		delete(n.muted, region)
	}
	return struct{}{}, nil
}

// throttle makes a Region's RDS API refuse every call for a while.
func (n *node) throttle(r *http.Request) (any, error) {
	for_, err := control.Query(r, "for", 0, time.ParseDuration)
	if err != nil {
		return nil, err
	}
	region := dr.Region(r.FormValue("region"))
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil {
		return nil, errNotStarted
	}
	if lift := n.throttled[region]; lift != nil {
		lift()
		delete(n.throttled, region)
	}
	if for_ <= 0 {
		return struct{}{}, nil
	}
	lift := n.current.cloud.SetFault(cloud.On(region, cloud.RDS, "").Throttle())
	over := time.AfterFunc(for_, lift)
	n.throttled[region] = func() {
		over.Stop()
		lift()
	}
	return struct{}{}, nil
}
