package embedded

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/notify"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

// probers returns what a member Region asks about the writer's besides the control
// planes: the probers that AWS gets, over the databases in memory.
func (p parts) probers() ([]health.Prober, error) {
	sql, err1 := probe.NewSQL(p.region, writes{p})
	replication, err2 := probe.NewReplication(p.region, p.dial(p.region), 0)
	return []health.Prober{sql, replication}, errors.Join(err1, err2)
}

// writes are heartbeat writes on a Region's database.
type writes struct{ parts }

// Write implements probe.Writes.
func (p writes) Write(ctx context.Context, subject dr.Region, _ string, fresh bool) error {
	err := p.dial(subject).probe(ctx, fresh)
	if errors.Is(err, drtest.ErrDown) {
		return fmt.Errorf("%w: %w", err, syscall.ECONNREFUSED) // what a socket would say
	}
	return err
}

// endpointReach commits a write through the endpoint that clients use.
type endpointReach struct{ parts }

// Reach implements aurora.Reacher.
func (e endpointReach) Reach(ctx context.Context, epoch dr.Epoch) (dr.Region, error) {
	to, _, err := e.resolve(ctx, e.region)
	if err != nil {
		return "", err
	}
	if to == e.third.region {
		return to, nil
	}
	return to, e.dial(to).Beat(ctx, failover.Beat{Region: "endpoint", Epoch: epoch, Seq: uint64(time.Now().UnixMicro())})
}

// role publishes the role metric to CloudWatch.
func (p parts) role() (*cloudwatch.Role, error) {
	return cloudwatch.NewRole(cloudwatch.RoleConfig{
		Region: p.region, Topology: p.setup.Topology,
		Client: cloudwatch.NewClient(awsConfig(), p.region, endpoint("monitoring", p.region), p.client),
	})
}

// notifier tells people through the Region's own topic.
func (p parts) notifier() (failover.Notifier, error) {
	return notify.New(notify.Config{
		Region: p.region, ARN: p.cloud.TopicARN(p.region, topicName),
		Client: notify.NewClient(awsConfig(), p.region, endpoint("sns", p.region), p.client),
	})
}
