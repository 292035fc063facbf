package monitor_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/require"

	lambdainvoker "github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// phone is an invoker with a call that stays open until it is hung up.
type phone struct{ hungUp int }

func (*phone) Ask(context.Context, string) error { return nil }

func (p *phone) HangUp() error {
	p.hungUp++
	return errors.New("the trigger has failed")
}

func TestTheInvokersCallsEndWithTheMonitorLease(t *testing.T) {
	var mu sync.Mutex
	var problems []string
	bubble(t, func(t *testing.T, r *rig) {
		r.trace = &dr.Trace{Problem: func(p dr.Problem) {
			mu.Lock()
			defer mu.Unlock()
			problems = append(problems, p.Op+": "+p.Err.Error())
		}}
		p := &phone{}
		cfg := r.config(east)
		cfg.Agent = r.member(east, r.trace, p)
		h, err := monitor.New(cfg)
		require.NoError(t, err)
		for times := 1; times <= 2; times++ {
			ctx, cancel := context.WithTimeout(r.ctx, 5*time.Second)
			_, err = h.Invoke(ctx, nil)
			cancel()
			require.NoError(t, err)
			require.Equal(t, times, p.hungUp)
		}
		mu.Lock()
		defer mu.Unlock()
		require.Contains(t, problems, "ask the trigger: the trigger has failed", "an error that no later request returned is reported")
	})
}

// foreign is Lambda with the trigger of another Region under the name of this one's.
type foreign struct{ h *trigger.Handler }

func (f foreign) Invoke(ctx context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	out, err := f.h.Invoke(ctx, in.Payload)
	return &lambda.InvokeOutput{StatusCode: 200, Payload: out}, err
}

// The east is lost, and the function that the west's monitor asks is the east's: it refuses,
// each time. Nothing fails over, and people are told why.
func TestPeopleHearOfATriggerThatRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		wrong, err := trigger.New(trigger.Config{Agent: r.Trigger(east, dr.Policy{}, nil), Name: "lifeboat-test-failover-trigger"})
		require.NoError(t, err)
		r.run(r.ctx, east)
		r.run(r.ctx, witness)
		cfg := r.config(west)
		cfg.Agent = r.member(west, nil, lambdainvoker.New(west, "lifeboat-test-failover-trigger", foreign{wrong}))
		h, err := monitor.New(cfg)
		require.NoError(t, err)
		r.wg.Go(func() { _, _ = h.Invoke(r.ctx, nil) })
		r.wait(10 * time.Second)
		r.CutRegion(east, true)
		r.wait(time.Minute)
		require.Zero(t, r.Cluster.Moves())
		var bodies []string
		for _, m := range r.Notifiers[west].Messages() {
			bodies = append(bodies, m.Body)
		}
		all := strings.Join(bodies, "\n")
		require.Contains(t, all, "ask the trigger: for")
		require.Contains(t, all, "it refused (wrong-region): this function moves the writer to us-east-1")
	})
}
