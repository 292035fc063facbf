package embedded

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/notify"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// probers returns what a member Region asks about the writer's: the probers that
// AWS gets, over the databases in memory.
func (w *world) probers(r dr.Region) ([]health.Prober, error) {
	sql, err1 := probe.NewSQL(r, writes{w, r})
	replication, err2 := probe.NewReplication(r, w.dial(r, r), 0)
	return []health.Prober{sql, replication}, errors.Join(err1, err2)
}

// writes are heartbeat writes on a Region's database. In memory there are no
// connections, so a fresh one is like a kept one.
type writes struct {
	w    *world
	from dr.Region
}

// Write implements probe.Writes.
func (p writes) Write(ctx context.Context, subject dr.Region, _ string, _ bool) error {
	err := p.w.dial(p.from, subject).Probe(ctx)
	if errors.Is(err, drtest.ErrDown) {
		return fmt.Errorf("%w: %w", err, syscall.ECONNREFUSED) // what a socket would say
	}
	return err
}

// endpointReach commits a write through the endpoint that clients use.
type endpointReach struct {
	w    *world
	from dr.Region
}

// Reach implements aurora.Reacher.
func (e endpointReach) Reach(ctx context.Context, epoch dr.Epoch) (dr.Region, error) {
	to, _, err := e.w.resolve(ctx, e.from)
	if err != nil {
		return "", err
	}
	return to, e.w.dial(e.from, to).Beat(ctx, failover.Beat{Region: "endpoint", Epoch: epoch, Seq: uint64(time.Now().UnixMicro())})
}

// router moves clients: the role metric to CloudWatch, and a look through the endpoint.
func (w *world) router(r dr.Region) (failover.Router, error) {
	role, err := cloudwatch.NewRole(cloudwatch.RoleConfig{
		Region: r, Topology: w.setup.Topology,
		Client: cloudwatch.NewClient(awsConfig(), r, endpoint("monitoring", r), w.http(r)),
	})
	if err != nil {
		return nil, err
	}
	return aurora.Router{Redirecter: role, Reacher: endpointReach{w, r}}, nil
}

// notifier tells people through the Region's own topic.
func (w *world) notifier(r dr.Region) (failover.Notifier, error) {
	return notify.New(notify.Config{
		Region: r, ARN: w.cloud.TopicARN(r, topicName), Client: notify.NewClient(awsConfig(), r, endpoint("sns", r), w.http(r)),
	})
}

var _ probe.LagSource = (*drtest.Conn)(nil)
