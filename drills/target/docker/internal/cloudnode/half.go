package cloudnode

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

// fault switches a fault of the emulated cloud on, as cloud.ParseFault reads it, or off. To
// switch on what is on, or off what is off, does nothing.
func (n *node) fault(r *http.Request) (any, error) {
	on, err := control.Query(r, "on", true, strconv.ParseBool)
	if err != nil {
		return nil, err
	}
	f, err := cloud.ParseFault(r.FormValue("fault"))
	if err != nil {
		return nil, control.BadRequest(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.current == nil {
		return nil, errNotStarted
	}
	lift := n.faults[f.String()]
	switch {
	case on && lift == nil:
		n.faults[f.String()] = n.current.cloud.SetFault(f)
	case !on && lift != nil:
		lift()
		delete(n.faults, f.String())
	}
	return struct{}{}, nil
}

// Moves of /cloud/console, each called as the operation that the emulated cloud then lists.
const (
	Switchover = "switchover"
	Failover   = "failover"
)

func (n *node) console(r *http.Request) (any, error) {
	return n.with(func(i *instance) (any, error) {
		return struct{}{}, i.console(r.Context(), r.FormValue("how"), dr.Region(r.FormValue("region")))
	})(r)
}

// console moves the writer as a person does: it asks RDS from outside every Region, past
// every link. A switchover is asked for in the writer's Region, a failover in the target's.
func (i *instance) console(ctx context.Context, how string, to dr.Region) error {
	arn := i.cloud.ClusterARN(to)
	if arn == "" {
		return control.BadRequest(fmt.Errorf("cloudnode: %s to %q: no member of the global cluster is there", how, to))
	}
	at := to
	if how == Switchover {
		at = i.cloud.Writer()
	}
	cfg := aws.Config{Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "CONSOLE", SecretAccessKey: "drill"}, nil // of the emulated cloud, which admits every caller
	})}
	api := aurora.NewClient(cfg, at, "http://rds."+at.String()+".amazonaws.com", i.cloud.RoundTripper(at))
	global, target := aws.String(i.cfg.GlobalCluster), aws.String(arn)
	var err error
	switch how {
	case Switchover:
		_, err = api.SwitchoverGlobalCluster(ctx, &rds.SwitchoverGlobalClusterInput{GlobalClusterIdentifier: global, TargetDbClusterIdentifier: target})
	case Failover:
		_, err = api.FailoverGlobalCluster(ctx, &rds.FailoverGlobalClusterInput{
			GlobalClusterIdentifier: global, TargetDbClusterIdentifier: target, AllowDataLoss: aws.Bool(true),
		})
	default:
		return control.BadRequest(fmt.Errorf("cloudnode: move %q is not known: use %s or %s", how, Switchover, Failover))
	}
	if err != nil {
		return fmt.Errorf("cloudnode: %s to %s: %w", how, to, err)
	}
	return nil
}

// onClock returns a time of this process on the containers' clock; zero for the zero time.
func onClock(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return clock.Monotonic() - int64(time.Since(t))
}
