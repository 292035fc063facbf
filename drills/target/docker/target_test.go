package docker_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// One target plays two drills, on the same containers: that the second one finds
// nothing of the first is part of what is tested.
func TestTarget(t *testing.T) {
	needDocker(t)
	target := docker.New(docker.Options{Keep: true})
	t.Cleanup(func() { require.NoError(t, target.Close(context.WithoutCancel(t.Context()))) })
	for _, name := range []string{"region-partition", "no-fault"} {
		t.Run(name, func(t *testing.T) {
			s, err := drill.Find(name)
			require.NoError(t, err)
			out, err := drill.Run(t.Context(), target, s, drill.Options{
				Seed: 7, Out: t.TempDir(), Progress: progress(t),
				Timing: drill.Timing{Steady: 2 * time.Second, Quiet: 5 * time.Second, Sustain: 5 * time.Second, AfterHeal: 6 * time.Second},
			})
			require.NoError(t, err)
			require.Equal(t, measure.Passed, out.Verdict.Outcome, "%s", out.Summary)
			require.Zero(t, out.Result.Writes.DualAcknowledged)
			require.NotZero(t, out.Result.Writes.OK)
		})
	}
	t.Run("the old writer rejoins", func(t *testing.T) { rejoins(t, target) })
	require.NoError(t, target.Close(t.Context()))
	containers, networks := leftovers(t, fmt.Sprintf("lifeboat.pid=%d", os.Getpid()))
	require.Empty(t, containers)
	require.Empty(t, networks)
}

// progress prints marks into the log of a test, for the day it fails.
func progress(t *testing.T) func(drill.Progress) {
	return func(p drill.Progress) {
		if p.Mark != nil {
			fmt.Fprintf(t.Output(), "%8.3f s  %-18s %-24s %s\n", p.Mark.At.Seconds(), p.Mark.Name, p.Mark.Source, p.Mark.Detail)
		}
	}
}

// What can be refused is refused before any container is made.
func TestUpRefuses(t *testing.T) {
	good := func() drill.Setup {
		return drill.Setup{Topology: drill.Topology(), Writer: drill.East, Clients: []drill.Client{{Name: "c", Region: drill.East, Rate: 1}}}
	}
	for _, tt := range []struct {
		name, want string
		edit       func(*drill.Setup)
	}{
		{"writer", `the writer is in "us-east-2"`, func(s *drill.Setup) { s.Writer = drill.Witness }},
		{"witness", "no witness", func(s *drill.Setup) { s.Topology.Witness = "" }},
		{"policy", "Confirm 1 is below 2", func(s *drill.Setup) { s.Policy.Confirm = 1 }},
		{"client", "client c stands in eu-west-1", func(s *drill.Setup) { s.Clients[0].Region = "eu-west-1" }},
		{"pinned", "client c is pinned to the database in us-east-2, where there is none", func(s *drill.Setup) {
			s.Clients[0].Region, s.Clients[0].Pinned = drill.Witness, true
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := good()
			tt.edit(&s)
			_, err := docker.New(docker.Options{}).Up(t.Context(), s)
			require.ErrorContains(t, err, tt.want)
			require.False(t, strings.Contains(err.Error(), "engine"), "no engine is asked")
		})
	}
}

// Every kind of fault is injected once, seen, healed, and gone.
func TestFaults(t *testing.T) {
	needDocker(t)
	target := docker.New(docker.Options{})
	w, err := target.Up(t.Context(), drill.Setup{Topology: drill.Topology(), Writer: drill.East})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close(context.WithoutCancel(t.Context()))) })
	_, err = target.Up(t.Context(), drill.Setup{Topology: drill.Topology(), Writer: drill.East})
	require.ErrorContains(t, err, "close its world first")

	for _, f := range []fault.Fault{
		{Kind: fault.ReplicationLag, Region: drill.East, Peer: drill.West, Duration: 500 * time.Millisecond},
		{Kind: fault.LoseTicks, Region: drill.Witness},
		{Kind: fault.DoubleTicks, Region: drill.Witness},
		{Kind: fault.ColdStart, Region: drill.East, Duration: time.Second},
		{Kind: fault.ThrottleRDS, Region: drill.East, Duration: 10 * time.Second},
		{Kind: fault.Dependency, Region: drill.West, Service: fault.DynamoDB, How: fault.Refuse},
		{Kind: fault.Dependency, Region: fault.Everywhere, Service: fault.DynamoDB, How: fault.Refuse},
		{Kind: fault.Database, Region: drill.West, How: fault.Full},
		{Kind: fault.KillMonitor, Region: drill.Witness},
		{Kind: fault.StopMonitor, Region: drill.West},
		{Kind: fault.LambdaDown, Region: drill.Witness},
		{Kind: fault.Kill, Region: drill.Witness},
		{Kind: fault.Isolate, Region: drill.Witness},
		{Kind: fault.CutLink, Region: drill.East, Peer: drill.West},
		{Kind: fault.Isolate, Region: drill.West},
		{Kind: fault.Blackout, Region: drill.West},
		{Kind: fault.FreezeDatabase, Region: drill.West},
		{Kind: fault.Kill, Region: drill.West},
	} {
		t.Run(f.String(), func(t *testing.T) {
			require.NoError(t, w.Supports(f))
			before := w.Clock()
			heal, err := w.Inject(t.Context(), f)
			require.NoError(t, err)
			bound, cancel := context.WithTimeout(t.Context(), 45*time.Second) // two ticks may be 20 s apart
			defer cancel()
			at, err := w.Effective(bound, f)
			require.NoError(t, err)
			require.Greater(t, at, before)
			require.LessOrEqual(t, at, w.Clock())
			if f.Kind == fault.ReplicationLag {
				require.GreaterOrEqual(t, at-before, f.Duration/2, "the lag grows by half a second a second")
			}
			require.NoError(t, heal(t.Context()))
			require.NoError(t, heal(t.Context()), "to heal what is healed does nothing")
		})
	}
	writer, err := w.Writer(t.Context())
	require.NoError(t, err)
	require.Equal(t, drill.East, writer)

	// A broken trigger has no effect while no monitor invokes it; in the catalogue's
	// scenarios a monitor does.
	for _, kind := range []fault.Kind{fault.KillController, fault.KillSteps, fault.DoubleTrigger} {
		t.Run(string(kind)+" of a trigger that does not run", func(t *testing.T) {
			f := fault.Fault{Kind: kind, Region: drill.West}
			require.NoError(t, w.Supports(f))
			heal, err := w.Inject(t.Context(), f)
			require.NoError(t, err)
			short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err = w.Effective(short, f)
			require.ErrorContains(t, err, "has had no effect")
			require.NoError(t, heal(t.Context()))
		})
	}

	for _, f := range []fault.Fault{
		{Kind: fault.FreezeDatabase, Region: drill.Witness},
		{Kind: fault.ReplicationLag, Region: drill.East, Peer: drill.Witness, Duration: time.Second},
		{Kind: fault.KillController, Region: drill.Witness},
		{Kind: fault.KillSteps, Region: drill.Witness},
		{Kind: fault.DoubleTrigger, Region: drill.Witness},
		{Kind: fault.Kill, Region: dr.Region("eu-west-1")},
		{Kind: fault.Dependency, Region: dr.Region("eu-west-1"), Service: fault.DynamoDB, How: fault.Refuse},
		{Kind: fault.Dependency, Region: drill.East, Service: "dynamodb.UpdateItem", How: fault.Refuse},
		{Kind: fault.Dependency, Region: drill.East, Service: fault.DynamoDB, How: fault.Hang},
		{Kind: fault.Dependency, Region: drill.East, Service: fault.SNS, How: fault.Refuse},
		{Kind: fault.Database, Region: drill.Witness, How: fault.Full},
		{Kind: fault.Database, Region: drill.East, How: fault.Denied},
		{Kind: fault.Promotion, Region: drill.West, How: fault.Refuse},
		{Kind: fault.Console, Region: drill.Witness, How: fault.Switchover},
		{Kind: fault.Console, Region: drill.East, How: fault.Reboot},
	} {
		require.ErrorIs(t, w.Supports(f), fault.ErrUnsupported)
	}
}

// rejoins has the writer's Region killed, and waits until its server holds what
// its successor has accepted since.
func rejoins(t *testing.T, target *docker.Target) {
	w, err := target.Up(t.Context(), drill.Setup{
		Topology: drill.Topology(), Writer: drill.East, Clients: []drill.Client{{Name: "outside", Region: drill.Witness, Rate: 20}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close(context.WithoutCancel(t.Context()))) })
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	moved, ended := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		_, err := w.Load(ctx, func(op workload.Op) {
			if op.Outcome == workload.OK && op.Server == drill.West {
				once.Do(func() { close(moved) })
			}
		})
		ended <- err
	}()
	begin := time.NewTimer(3 * time.Second) // some writes and a lag that is known
	<-begin.C
	heal, err := w.Inject(t.Context(), fault.Fault{Kind: fault.Kill, Region: drill.East})
	require.NoError(t, err)
	select {
	case <-moved:
	case err := <-ended:
		require.NoError(t, err)
		require.FailNow(t, "the writer has not moved in a minute")
	}
	stop()
	require.NoError(t, <-ended)
	require.NoError(t, heal(t.Context()))
	require.Eventually(t, func() bool {
		want, err := w.Survivors(t.Context(), drill.West)
		require.NoError(t, err)
		got, err := w.Survivors(t.Context(), drill.East)
		return err == nil && slices.Equal(want, got) // it answers no client while it is emptied
	}, time.Minute, 200*time.Millisecond)
	writer, err := w.Writer(t.Context())
	require.NoError(t, err)
	require.Equal(t, drill.West, writer)
}
