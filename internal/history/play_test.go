package history_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/history"
)

const recordings = "../../pkg/dr/failover/testdata/histories"

func worlds(t *testing.T) []*history.World {
	t.Helper()
	all, err := history.ReadAll(os.DirFS(recordings))
	require.NoError(t, err)
	return all
}

// The recordings are whole: all 20 drills, twelve drawn worlds, and the rigs of the units.
func TestTheRecordingsAreWhole(t *testing.T) {
	drills, searched, units, guards := 0, 0, 0, 0
	for _, w := range worlds(t) {
		switch {
		case strings.HasPrefix(w.Name, "drill-"):
			drills++
		case strings.HasPrefix(w.Name, "TestSearch"):
			searched++
		default:
			units++
		}
		require.NotEmpty(t, w.Guards, w.Name)
		guards += len(w.Guards)
	}
	require.Equal(t, 20, drills)
	require.Equal(t, 12, searched)
	require.GreaterOrEqual(t, units, 85)
	require.GreaterOrEqual(t, guards, 300)
}

// again is a machine that does what was recorded, but for what it leaves out or does late.
type again struct {
	events []history.Event
	begun  bool
	next   int
	ids    uint32
	skips  func(history.Event) bool
	late   time.Duration
}

func (a *again) Learn(at time.Duration, _ history.Learnt) []history.Effect { return a.Tick(at) }

func (a *again) Answer(at time.Duration, _ uint32, _ history.Answer) []history.Effect {
	return a.Tick(at)
}

func (a *again) Due(at time.Duration) time.Duration { return at + 25*time.Millisecond }

func (a *again) Tick(at time.Duration) []history.Effect {
	var out []history.Effect
	for ; a.next < len(a.events) && a.events[a.next].At+a.late <= at; a.next++ {
		e := a.events[a.next]
		if a.skips != nil && a.skips(e) || e.What == "refresh" || !e.Call() && e.What != "tell" && e.What != "rested" {
			continue
		}
		f := history.Effect{What: e.What}
		if e.What == "tell" {
			f.What += " " + e.Args[0]
		}
		if e.Call() {
			a.ids++
			f.ID, f.Seq = a.ids, uint64(a.ids)
		}
		out = append(out, f)
	}
	return out
}

// A player that finds nothing where nothing differs, and everything that does.
func TestPlayFindsWhatDiffers(t *testing.T) {
	for _, w := range worlds(t) {
		for _, g := range w.Guards {
			found, err := history.Play(g, &again{events: g.Events})
			require.NoError(t, err, w.Name)
			require.Empty(t, found, "%s: the same guard", w.Name)
		}
	}
	all := worlds(t)
	i := slices.IndexFunc(all, func(w *history.World) bool { return strings.HasPrefix(w.Name, "drill-region-partition-seed") })
	require.GreaterOrEqual(t, i, 0)
	keys := func(a again) (keys []string) {
		for _, g := range all[i].Guards {
			a := a
			a.events = g.Events
			found, err := history.Play(g, &a)
			require.NoError(t, err)
			for _, d := range found {
				if !slices.Contains(keys, d.Key()) {
					keys = append(keys, d.Key())
				}
			}
		}
		return keys
	}
	left := keys(again{skips: func(e history.Event) bool { return e.What == "fence" && e.Outcome == "ok" && e.Args[0] == "1" }})
	require.Contains(t, left, "only before | fence | behind its successor", "the last thing that this guard did")
	require.Contains(t, left, "only before | fence | another Region holds the lease")
	late := keys(again{late: time.Second})
	require.Contains(t, late, "only before | renew | its Region holds the lease")
	require.Contains(t, late, "only now | renew | its Region holds the lease")
}

func TestReadRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, bad := range []string{
		"0 us-east-1#1 run", "== x\n0 us-east-1#1 run", "== x\n0 us-east-1#1", "== x\n-1 us-east-1#1 guard", "== x\nzero us-east-1#1 guard",
		"== x\n0 us-east-1#1 guard ttl=soon", "== x\n0 us-east-1#1 guard colour=red", "== x\n0 us-east-1#1 guard\n0 us-east-1#1 renew 1/1 -> ",
		"== x\n0 us-east-1#1 guard\n0 us-east-1#1 renew 1/1 -> +3", "== x\n0 us-east-1#1 guard\n0 us-east-1#1 renew 1/1 -> ok +x",
	} {
		_, err := history.Read(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
}
