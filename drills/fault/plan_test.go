package fault_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
)

var (
	blackout = fault.Fault{Kind: fault.Blackout, Region: "us-east-1"}
	lag      = fault.Fault{Kind: fault.ReplicationLag, Region: "us-east-1", Peer: "us-west-2", Duration: 5 * time.Second}
)

func TestPlanPrintsBack(t *testing.T) {
	for text, want := range map[string]fault.Plan{
		"none":                {{Fault: fault.Fault{Kind: fault.None}}},
		"blackout(us-east-1)": fault.All(blackout),
		"replication-lag(us-east-1,us-west-2,5s)@-8s + blackout(us-east-1)@0s": {{Fault: lag, At: -8 * time.Second}, {Fault: blackout}},
		"blackout(us-east-1)@1.5s":           {{Fault: blackout, At: 1500 * time.Millisecond}},
		"blackout(us-east-1)@1.5s for 200ms": {{Fault: blackout, At: 1500 * time.Millisecond, For: 200 * time.Millisecond}},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := fault.ParsePlan(text)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, text, got.String())
		})
	}
}

func TestSequence(t *testing.T) {
	p := fault.Sequence(2*time.Second, lag, blackout)
	require.Equal(t, "replication-lag(us-east-1,us-west-2,5s)@0s + blackout(us-east-1)@2s", p.String())
	require.Zero(t, p.Lead())
}

func TestPlanRunsStepsWhenDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fault.Plan{{Fault: blackout, At: 2 * time.Second}, {Fault: lag, At: -8 * time.Second}}
		require.Equal(t, 8*time.Second, p.Lead())
		start := time.Now()
		got := map[fault.Kind]time.Duration{}
		require.NoError(t, p.Run(t.Context(), func(_ context.Context, s fault.Step) error {
			got[s.Fault.Kind] = time.Since(start)
			return nil
		}))
		require.Equal(t, map[fault.Kind]time.Duration{fault.ReplicationLag: 0, fault.Blackout: 10 * time.Second}, got)
	})
}

func TestPlanStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fault.Sequence(time.Minute, lag, blackout)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n := 0
		err := p.Run(ctx, func(context.Context, fault.Step) error { n++; return nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "blackout(us-east-1)@1m0s was not injected")
		require.Equal(t, 1, n)

		broken := errors.New("no such container")
		err = p.Run(t.Context(), func(context.Context, fault.Step) error { n++; return broken })
		require.ErrorIs(t, err, broken)
		require.Equal(t, 2, n)
	})
}
