package guard_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/history"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover/guard"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/lease"
)

// stepped is guard.Step as a machine that a recording is played through.
type stepped struct {
	rules    guard.Rules
	state    guard.State
	finished bool
}

func newStepped(g *history.Guard) *stepped {
	r := guard.NewRules(g.Region, g.Policy)
	r.Keeper, r.Roles, r.Releases = true, true, true
	return &stepped{rules: r, state: guard.New(r, 0)}
}

func (m *stepped) step(at time.Duration, in guard.Input) []history.Effect {
	if m.finished {
		return nil // its process has ended
	}
	in.Now = at
	next, all := guard.Step(m.rules, m.state, in)
	m.state = next
	var out []history.Effect
	for _, e := range all {
		what, ok := words[e.Kind]
		if !ok || m.finished {
			continue
		}
		if e.Kind == guard.Tell {
			what += e.What
		}
		m.finished = m.finished || e.Kind == guard.Finish
		out = append(out, history.Effect{ID: e.ID, What: what, Row: []string{"own", "unrenewed", "rear"}[e.Row], Epoch: e.Epoch, Seq: e.Seq, Until: e.Until})
	}
	return out
}

// words are the names that the recordings have for effects. A complaint has none.
var words = map[guard.Does]string{
	guard.Beat: "beat", guard.Renew: "renew", guard.Release: "release", guard.ReadLease: "read", guard.Fence: "fence", guard.Isolate: "isolate",
	guard.Open: "open", guard.AskRole: "role", guard.ReadReplica: "replicated", guard.InstallWatchdog: "install", guard.CheckWatchdog: "check",
	guard.RemoveWatchdog: "remove", guard.Tell: "tell ", guard.Finish: "rested",
}

func (m *stepped) Learn(at time.Duration, l history.Learnt) []history.Effect {
	in := guard.Input{Lease: record(l.Lease), Epoch: l.Epoch, Until: l.Until}
	switch l.What {
	case "run":
		m.state = guard.New(m.rules, at)
		return nil
	case "see":
		in.Kind = guard.LeaseSeen
	case "told":
		in.Kind = guard.PromotionDone
	case "recall":
		in.Kind = guard.Recalled
	case "stop":
		in.Kind = guard.Stopped
	case "rear":
		if in.Kind = guard.HandedOver; l.Until == 0 {
			in.Until = guard.Never
		}
	}
	return m.step(at, in)
}

func record(l history.Lease) lease.Record {
	return lease.Record{Epoch: l.Epoch, Holder: l.Holder, Rev: l.Rev, TakenRev: l.TakenRev, Execution: l.By, Released: l.Released}
}

func (m *stepped) Answer(at time.Duration, id uint32, a history.Answer) []history.Effect {
	in := guard.Input{Kind: guard.Answered, ID: id, Lease: record(a.Lease), Epoch: a.Epoch, Seq: a.Seq, Awake: a.Awake, Server: guard.Secondary}
	if a.Writer {
		in.Server = guard.Writer
	}
	in.Result = map[string]guard.Result{"ok": guard.Done, "readonly": guard.ReadOnly, "notwriter": guard.NotWriter, "moved": guard.Moved, "none": guard.Refused}[a.Outcome]
	return m.step(at, in)
}

func (m *stepped) Tick(at time.Duration) []history.Effect { return m.step(at, guard.Input{}) }

func (m *stepped) Due(at time.Duration) time.Duration { return guard.Next(&m.rules, &m.state, at) }

// TestHistories plays what the guard of commit 9f577a0 was told, in all of its suites and in
// every drill, through this one. What differs must be explained in differs, and what is
// explained must differ.
func TestHistories(t *testing.T) {
	worlds, err := history.ReadAll(os.DirFS("../testdata/histories"))
	require.NoError(t, err)
	found, first := map[string]int{}, map[string]string{}
	for _, w := range worlds {
		for _, g := range w.Guards {
			all, err := history.Play(g, newStepped(g))
			require.NoError(t, err, w.Name)
			for _, d := range all {
				if found[d.Key()]++; found[d.Key()] == 1 {
					first[d.Key()] = fmt.Sprintf("%s, %s at %v", w.Name, g.Name, d.At)
				}
			}
		}
	}
	explained := map[string]bool{}
	for _, d := range differs {
		for _, k := range d.kinds {
			require.False(t, explained[k], "%q is explained twice", k)
			explained[k] = true
			if found[k] == 0 {
				t.Errorf("%q does not differ any more (%s): take it out of differs", k, d.why)
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(found)) {
		if !explained[k] {
			t.Errorf("%q is not explained, %d of them, first in %s", k, found[k], first[k])
		}
	}
	t.Logf("%d worlds, %d kinds of difference", len(worlds), len(found))
}
