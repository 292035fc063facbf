package docker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Each kind of fault of functions shows by the notes that are its, and by no others.
func TestNotesShowFaults(t *testing.T) {
	const monitor, trigger = functions.Monitor, functions.Trigger
	type note struct{ name, detail string }
	var (
		monitorKilled = note{functions.NoteEnded, monitor + ": signal: killed"}
		monitorLeft   = note{functions.NoteEnded, monitor + ": exit status 0"}
		monitorDown   = note{functions.NoteRefused, monitor}
		triggerKilled = note{functions.NoteEnded, trigger + ": signal: killed"}
		triggerDown   = note{functions.NoteRefused, trigger}
		step          = note{functions.NoteKilled, trigger + ": at EpochTaken"}
		lost          = note{functions.NoteLost, monitor + ": lose"}
		dropped       = note{functions.NoteLost, monitor + ": lambdahost: the host is closed"}
		triggerLost   = note{functions.NoteLost, trigger + ": lose"}
		tickTwice     = note{functions.NoteDuplicated, monitor}
		requestTwice  = note{functions.NoteDuplicated, trigger}
		triggerTwice  = note{functions.NoteTwice, trigger}
		prompt        = note{functions.NoteStarted, monitor + ": 999ms"}
		late          = note{functions.NoteStarted, trigger + ": 1.003s"}
		untold        = note{functions.NoteStarted, monitor}
		verdict       = note{measure.MarkSuspected, "1.5s"}
	)
	all := []note{monitorKilled, monitorLeft, monitorDown, triggerKilled, triggerDown, step, lost, dropped, triggerLost,
		tickTwice, requestTwice, triggerTwice, prompt, late, untold, verdict}
	want := map[fault.Kind][]note{
		fault.Kill:           {monitorKilled, monitorDown, triggerKilled, triggerDown},
		fault.KillMonitor:    {monitorKilled},
		fault.StopMonitor:    {monitorKilled, monitorDown},
		fault.KillController: {triggerKilled},
		fault.KillSteps:      {step},
		fault.LoseTicks:      {lost},
		fault.DoubleTicks:    {tickTwice},
		fault.DoubleTrigger:  {triggerTwice},
		fault.ColdStart:      {late},
		fault.LambdaDown:     {monitorKilled, monitorDown, triggerKilled, triggerDown},
	}
	const since, at = 10 * time.Second, 12 * time.Second
	mark := func(n note, at time.Duration, r dr.Region) measure.Mark {
		return measure.Mark{At: at, Source: functions.NotedBy(r), Name: n.name, Region: r, Detail: n.detail}
	}
	for _, kind := range fault.Kinds() {
		f := fault.Fault{Kind: kind, Region: drill.West, Duration: time.Second}
		var got []note
		for _, n := range all {
			when, seen := docker.Shown(f, since, []measure.Mark{mark(n, at, drill.West)})
			if seen {
				require.Equal(t, at, when)
				got = append(got, n)
			}
			_, before := docker.Shown(f, since, []measure.Mark{mark(n, since-1, drill.West)})
			require.False(t, before, "%s by what %s noted before it", kind, n.name)
			_, elsewhere := docker.Shown(f, since, []measure.Mark{mark(n, at, drill.East)})
			require.False(t, elsewhere, "%s by what another Region noted", kind)
			said := mark(n, at, drill.West)
			said.Source = "monitor " + drill.West.String()
			_, told := docker.Shown(f, since, []measure.Mark{said})
			require.False(t, told, "%s by what a function says", kind)
		}
		require.ElementsMatch(t, want[kind], got, "%s", kind)
		_, seen := docker.Shown(f, since, nil)
		require.False(t, seen, "%s by nothing", kind)
	}
	first, seen := docker.Shown(fault.Fault{Kind: fault.LoseTicks, Region: drill.West}, since, []measure.Mark{
		mark(lost, since-time.Second, drill.West), mark(prompt, since, drill.West), mark(lost, at, drill.West), mark(lost, at+time.Second, drill.West),
	})
	require.True(t, seen)
	require.Equal(t, at, first)
}
