package failover_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

func nameOf(x failover.Execution) string {
	s := fmt.Sprintf("%s, %s, %s", x.Asked, x.Mode, x.Code)
	if x.Proof != "" {
		s += ", " + string(x.Proof)
	}
	return s
}

// words are what a page says by itself: without the report, and without the commands.
func words(x failover.Execution) (all, consent string) {
	body := strings.TrimPrefix(x.Page("trigger").Body, x.Report())
	for _, line := range strings.Split(body, "\n") {
		if !strings.HasPrefix(line, "aws ") {
			all += line + "\n"
		}
		if rest, is := strings.CutPrefix(line, "to "); is && consent == "" {
			consent = rest
		}
	}
	return all, consent
}

// TestEveryPage lists every page that can be sent, for a reviewer. Pages about the same in
// the same words, but for the proof of the fence, are there once.
func TestEveryPage(t *testing.T) {
	var out strings.Builder
	seen := map[string]bool{}
	for _, x := range asked(t) {
		w, _ := words(x)
		if key := fmt.Sprint(x.Asked, x.Mode, x.Code, w); !seen[key] {
			seen[key] = true
			m := x.Page("trigger")
			fmt.Fprintf(&out, "===== %s\n%s\n\n%s\n", nameOf(x), m.Subject, m.Body)
		}
	}
	golden(t, "testdata/pages.txt", out.String())
}

// moving is a control plane that says that something moves the writer, without an end, and
// perhaps a server that was not told.
type moving struct {
	failover.Promoter
	failover.Preflighter
	to        *dr.Region
	secondary bool // the server says so
}

func (m moving) Describe(ctx context.Context) (failover.Cluster, error) {
	got, err := m.Promoter.Describe(ctx)
	if *m.to != "" {
		got.Writer, got.MovingTo = east, *m.to
	}
	return got, err
}

func (m moving) Preflight(ctx context.Context) (failover.Readiness, error) {
	got, err := m.Preflighter.Preflight(ctx)
	if *m.to != "" {
		got.Cluster.Writer, got.Cluster.MovingTo = east, *m.to
	}
	if m.secondary {
		got.Role = failover.RoleSecondary
	}
	return got, err
}

// standing brings about what each code is about, so that it is there when the answer comes.
var standing = map[failover.Code]func(r *rig, x failover.Execution, to *dr.Region){
	failover.CodeLeaseStoreStuck: func(r *rig, _ failover.Execution, _ *dr.Region) {
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpReadLease, drtest.OpTakeLease))
	},
	failover.CodeWriterUnknown:  func(r *rig, _ failover.Execution, _ *dr.Region) { r.Cluster.SetWriter("eu-central-1") },
	failover.CodeMovedElsewhere: func(_ *rig, _ failover.Execution, to *dr.Region) { *to = "eu-central-1" },
	failover.CodeTargetNotReady: func(r *rig, x failover.Execution, _ *dr.Region) {
		if x.Mode != failover.ModeAdopt { // there the server and the control plane disagree
			r.Pair.DB(west).Freeze()
		}
	},
	failover.CodeSuperseded: func(r *rig, _ failover.Execution, _ *dr.Region) {
		l, _ := r.Store.Lease()
		_, err := r.Store.At(east).TakeLease(r.ctx, l, failover.Claim{Holder: east, Execution: "another"})
		require.NoError(r.t, err)
	},
	failover.CodeVerifyStuck: func(r *rig, _ failover.Execution, _ *dr.Region) {
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpBeat))
	},
	failover.CodeRedirectStuck: func(r *rig, _ failover.Execution, _ *dr.Region) {
		r.breaks(calls(west, drtest.Fault{Err: errRefused}, drtest.OpReach))
	},
	failover.CodePromotionStuck: func(_ *rig, x failover.Execution, to *dr.Region) {
		if x.Mode == failover.ModeAdopt {
			*to = west // a move from outside that does not end
		}
	},
	failover.CodePromotionRefused: func(_ *rig, x failover.Execution, to *dr.Region) {
		if x.Mode == failover.ModeAdopt {
			*to = west
		}
	},
}

// promotes has a real controller take the answer to a question while what is asked about
// stands, and reports whether it then makes the target the writer: it has the writer moved,
// or goes on with a move from outside.
func promotes(t *testing.T, x failover.Execution) (is bool) {
	t.Helper()
	bubble(t, nameOf(x), func(t *testing.T) {
		var to dr.Region
		r := newRig(t, dr.Policy{})
		defer r.end()
		c := r.controller(west, func(cfg *failover.ControllerConfig) {
			m := moving{cfg.Promoter, cfg.Preflight, &to, x.Mode == failover.ModeAdopt && x.Code == failover.CodeTargetNotReady}
			cfg.Promoter, cfg.Preflight = m, m
		})
		r.silence()
		l, _ := r.Store.Lease()
		x.Evidence.LeaseRev, x.Evidence.LeaseUnchanged, x.Evidence.LeaseServed = l.Rev, 10*time.Second, l.Served
		if x.EpochTakenYet() {
			_, err := r.Store.At(west).TakeLease(r.ctx, l, failover.Claim{Holder: west, Execution: x.ID})
			require.NoError(t, err)
		}
		done := x.Asked == failover.Promoted || x.Asked == failover.Verified || x.Asked == failover.Redirected
		if done || x.Mode == failover.ModeAdopt {
			require.NoError(t, r.Pair.Move(west, 0, false))
		}
		if cause := standing[x.Code]; cause != nil {
			cause(r, x, &to)
		}
		r.wait(time.Second)
		x.Seq = 1
		require.NoError(t, r.Store.At(west).Append(r.ctx, failover.Entry{Version: failover.JournalVersion, Execution: x, At: time.Now()}))
		require.NoError(t, r.Store.At(witness).Acknowledge(r.ctx, failover.Acknowledgement{Execution: x.ID, Question: x.Question.ID, By: "ops", Reason: "go"}))
		before := r.orders()
		r.wg.Go(func() { _, _, _ = c.Resume(r.ctx) })
		r.wait(time.Minute)
		require.NotNil(t, r.last().Execution.Ack, "%s: the answer was taken", nameOf(x))
		is = r.orders() > before
		for _, e := range r.Store.Entries() {
			is = is || !done && e.Event == failover.EvPromoted
		}
	})
	return is
}

// TestAPageSaysWhatItsAnswerDoes: a person who answers a page that says "try again" must not
// make a second writer, and one who is told that the writer moves must see it move.
func TestAPageSaysWhatItsAnswerDoes(t *testing.T) {
	moves := []string{"move the writer", "moves the writer", "is then promoted", "the promotion of us-west-2 asked for again", "then accepts writes"}
	for _, x := range asked(t) {
		all, consent := words(x)
		says := ""
		for _, m := range moves {
			if strings.Contains(consent, m) {
				says = m
			}
		}
		if promotes(t, x) {
			for _, harmless := range []string{"try again", "look again", "look once more"} {
				require.NotContains(t, all, harmless, "%s: the answer promotes", nameOf(x))
			}
			require.NotEmpty(t, says, "%s: the answer promotes, and the page says: to %s", nameOf(x), consent)
		} else {
			require.Empty(t, says, "%s: the answer promotes nothing, and the page says: to %s", nameOf(x), consent)
			require.NotContains(t, all, "move the writer", nameOf(x))
			require.NotContains(t, all, "moves the writer", nameOf(x))
		}
	}
}

// TestAPageSaysWhatIsTouched: before the epoch was taken nothing is, and after that it can't
// be said. Where a person's word stands in the place of a fence, two writers are at stake.
func TestAPageSaysWhatIsTouched(t *testing.T) {
	for _, x := range asked(t) {
		name := nameOf(x)
		all, consent := words(x)
		if x.EpochTakenYet() {
			require.NotContains(t, all, "nothing is touched", name)
			require.NotContains(t, all, "nothing was touched", name)
		} else {
			require.Contains(t, all, "nothing is touched", name)
			require.NotContains(t, all, "has lost its lease", name)
			require.NotContains(t, all, "there is no writer:", name)
		}
		if x.Asked == failover.EpochTaken && x.Code != failover.CodeSuperseded {
			require.Contains(t, consent, "confirm that the old writer is stopped", name)
			require.Contains(t, all, "at stake: two writers", name)
			require.Contains(t, all, "lost", name)
			require.Contains(t, all, "if there is no answer: the writer in us-east-1 may still accept writes", name)
			require.NotContains(t, all, "there is no writer", name)
		}
		stopped := x.Code == failover.CodeNoFenceProof || x.Code == failover.CodeMonitorBlind || x.Code == failover.CodeFenceFailed
		if stopped {
			require.Contains(t, consent, "confirm that the old writer is stopped", name)
			require.Contains(t, all, "at stake: two writers", name)
		}
		if x.Asked == failover.LossAccepted && x.Mode == failover.ModeSwitchover && x.Proof == failover.ProofExpired &&
			(x.Code == failover.CodePromotionStuck || x.Code == failover.CodePromotionRefused) {
			require.Contains(t, consent, "confirm that the old writer is stopped", name)
			require.Contains(t, all, "two writers", name)
		}
	}
}
