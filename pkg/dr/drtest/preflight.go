package drtest

import (
	"context"
	"errors"
	"sync"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

var _ failover.Preflighter = (*Control)(nil)

// Preflight implements failover.Preflighter for the member of the API's own Region.
func (c *Control) Preflight(ctx context.Context) (failover.Readiness, error) {
	if c.cluster.pair.DB(c.region) == nil {
		return failover.Readiness{}, errors.New("drtest: preflight: " + c.region.String() + " has no member")
	}
	var r failover.Readiness
	var wg sync.WaitGroup
	var now failover.Cluster
	var missing []string
	var clusterErr, roleErr error
	var role failover.Role
	wg.Go(func() {
		clusterErr = c.carry(ctx, OpPreflight, func() error {
			now, missing = c.cluster.view(c.region), c.cluster.missing(c.region)
			return nil
		})
	})
	wg.Go(func() {
		roleErr = c.carry(ctx, OpRole, func() (err error) { role, err = c.cluster.pair.DB(c.region).Role(ctx); return err })
	})
	wg.Wait()
	if clusterErr == nil {
		r.Cluster, r.ClusterKnown, r.Missing = now, true, missing
	} else {
		r.Unknown = append(r.Unknown, "the control plane: "+clusterErr.Error())
	}
	if roleErr == nil {
		r.Role = role
	} else {
		r.Silent = true
	}
	return r, nil
}

// SetMissing says what stands in the way of promoting a Region's member, as an upgrade
// that is under way does; nothing for nothing.
func (g *GlobalCluster) SetMissing(r dr.Region, missing ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lacking[r] = missing
}

// SetWriter makes every API name a writer that is no member of the pair; "" ends that.
func (g *GlobalCluster) SetWriter(r dr.Region) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.foreign = r
}

func (g *GlobalCluster) missing(r dr.Region) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lacking[r]
}
