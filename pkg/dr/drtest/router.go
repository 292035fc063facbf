package drtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Router is the endpoint that clients use. A redirect reaches them after a time,
// as a record in DNS does.
type Router struct {
	net  *Network
	pair *Pair
	ttl  time.Duration

	mu      sync.Mutex
	old     dr.Region // where clients land before turnsAt
	target  dr.Region
	turnsAt time.Time
	epoch   dr.Epoch
}

// NewRouter returns an endpoint that leads to a Region, and to another one ttl
// after a redirect.
func NewRouter(net *Network, pair *Pair, target dr.Region, ttl time.Duration) *Router {
	return &Router{net: net, pair: pair, ttl: ttl, old: target, target: target}
}

// Target returns the Region where a new connection lands now.
func (r *Router) Target() dr.Region {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.turnsAt) {
		return r.old
	}
	return r.target
}

// At returns the endpoint as one Region uses it.
func (r *Router) At(region dr.Region) *RouterView { return &RouterView{r, region} }

// RouterView is an endpoint as one Region uses it.
type RouterView struct {
	router *Router
	region dr.Region
}

var _ failover.Router = (*RouterView)(nil)

// Redirect implements failover.Router. An older epoch than the last is refused.
func (v *RouterView) Redirect(ctx context.Context, to dr.Region, e dr.Epoch) error {
	return v.router.net.carry(ctx, Call{From: v.region, To: v.region, Op: OpRedirect}, func() error {
		r := v.router
		now := r.Target()
		r.mu.Lock()
		defer r.mu.Unlock()
		if e < r.epoch {
			return fmt.Errorf("drtest: redirect to %s with epoch %d: the endpoint has seen epoch %d", to, e, r.epoch)
		}
		r.epoch = e
		if to != r.target {
			r.old, r.target, r.turnsAt = now, to, time.Now().Add(r.ttl)
		}
		return nil
	})
}

// Reach implements failover.Router.
func (v *RouterView) Reach(ctx context.Context, e dr.Epoch) (dr.Region, error) {
	at := v.router.Target()
	err := v.router.net.carry(ctx, Call{From: v.region, To: at, Op: OpReach}, func() error {
		return v.router.pair.DB(at).Beat(ctx, failover.Beat{Region: "endpoint", Epoch: e, Seq: uint64(time.Now().UnixMicro())})
	})
	return orZero(at, err)
}
