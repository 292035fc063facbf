package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

// third is a member that was added to the global database past Lifeboat. Its server is
// not emulated: it takes every write.
type third struct {
	region dr.Region
	away   atomic.Bool // it is the writer
}

// givesUp is after how long a person at the console waits no more for RDS's answer.
const givesUp = 5 * time.Second

// console does what a person does at the console, or AWS by itself: it asks RDS from
// outside, past Lifeboat and every link.
func (w *world) console(ctx context.Context, f fault.Fault) error {
	at := f.Region
	if f.How == fault.Switchover {
		at = w.cloud.Writer()
	}
	// A request that RDS does not answer would hold the world's clockwork up for ever.
	ctx, cancel := context.WithTimeout(ctx, givesUp)
	defer cancel()
	api := aurora.NewClient(awsConfig(), at, endpoint("rds", at), w.cloud.RoundTripper(at))
	var err error
	global, target := aws.String(w.setup.Topology.GlobalCluster), aws.String(w.cloud.ClusterARN(f.Region))
	switch f.How {
	case fault.Switchover:
		_, err = api.SwitchoverGlobalCluster(ctx, &rds.SwitchoverGlobalClusterInput{GlobalClusterIdentifier: global, TargetDbClusterIdentifier: target})
	case fault.Forced:
		_, err = api.FailoverGlobalCluster(ctx, &rds.FailoverGlobalClusterInput{GlobalClusterIdentifier: global, TargetDbClusterIdentifier: target, AllowDataLoss: aws.Bool(true)})
	case fault.Reboot:
		_, err = api.RebootDBInstance(ctx, &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String(w.instance(f.Region))})
	}
	if err != nil {
		return fmt.Errorf("embedded: %s: %w", f, err)
	}
	return nil
}

func (w *world) instance(r dr.Region) string {
	return w.setup.Topology.GlobalCluster + "-" + r.String() + "-1"
}

// moved reports whether the control plane has been asked for a console's move, or has
// rebooted an instance, since a time of the world's clock.
func (w *world) moved(f fault.Fault, since int64) func(context.Context) bool {
	return func(context.Context) bool {
		if f.How == fault.Reboot {
			for _, e := range w.cloud.Events() {
				if e.ID == "RDS-EVENT-0004" && e.Region == f.Region && int64(e.At.Sub(w.began)) >= since {
					return true
				}
			}
			return false
		}
		for _, op := range w.cloud.Operations() {
			if op.Kind == string(f.How) && op.To == f.Region && int64(op.AcceptedAt.Sub(w.began)) >= since {
				return true
			}
		}
		return false
	}
}

// Answer is what a Region's trigger has answered a person.
type Answer struct {
	event.Response
	// Failed is what the invocation failed with: its error, or Lambda's refusal.
	Failed string
	// Refused is set when Lambda did not accept the invocation.
	Refused bool
}

// Ask is a person who invokes a Region's trigger with any payload, and waits for the
// answer.
func (i Inside) Ask(ctx context.Context, to dr.Region, payload []byte) (Answer, error) {
	result, err := i.w.lambdas[to].Invoke(ctx, triggerName, payload, lambdahost.Sync)
	var out Answer
	switch {
	case err != nil && ctx.Err() != nil:
		return out, err
	case err != nil:
		out.Failed, out.Refused = err.Error(), true
		return out, nil
	case result.FunctionError != "":
		out.Failed = string(result.Payload)
		return out, nil
	}
	if err := json.Unmarshal(result.Payload, &out.Response); err != nil {
		out.Failed = "no answer of the trigger's: " + string(result.Payload)
	}
	return out, nil
}
