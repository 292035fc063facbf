package drills_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded"
	"github.com/lifeboat-dr/lifeboat/internal/raced"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// TestHarm plays what people, AWS's own services and half-failures do to a healthy
// deployment, through the deployed handlers in virtual time. A case that reds names
// must fail: it shows a fault of the product that is not mended yet.
//
// DRILL_HARM=all plays the long cases and the whole matrix, too, and DRILL_HARM=whole does
// so at full length. DRILL_SEED is the seed, DRILL_STORY=1 prints what happened.
func TestHarm(t *testing.T) {
	settings, err := drill.FromEnv(os.Getenv)
	require.NoError(t, err)
	whole := os.Getenv("DRILL_HARM") == "whole"
	all := whole || os.Getenv("DRILL_HARM") == "all"
	for _, h := range harms() {
		t.Run(h.name, func(t *testing.T) {
			if h.long && !all {
				t.Skip("DRILL_HARM=all plays it")
			}
			if raced.On() && h.name != "console-switchover" {
				t.Skip("the race detector finds nothing here that one case doesn't show it")
			}
			if h.brief > 0 && !whole {
				h.length = h.brief
			}
			out := suffer(t, h, settings.Seed)
			var wrong []string
			for _, c := range h.want {
				if why := c.holds(out); why != "" {
					wrong = append(wrong, c.name+": "+why)
				}
			}
			t.Logf("%s\n%s", h.plan, out.figures())
			if os.Getenv("DRILL_STORY") != "" {
				t.Logf("\n%s", out.story())
			}
			switch {
			case !reds[h.name]:
				require.Empty(t, wrong, "%s\n%s", h.plan, out.story())
			case len(wrong) == 0:
				require.NotEmpty(t, wrong, "%s is mended (it was: %s): take it out of harm_red_test.go", h.name, h.was)
			default:
				t.Logf("red: %s\n%s", h.was, strings.Join(wrong, "\n"))
			}
		})
	}
}

// unharmed is what must come of a fault of anything but the writer: no client sees it,
// and nothing is stopped, rebooted or moved.
func unharmed() []check {
	return []check{allWrites(), untouched()}
}

// allWrites demands that every client write is acknowledged.
func allWrites() check {
	return check{"no client write fails", func(o *told) string {
		bad := append(o.failed("outside", 0, 1<<62), o.failed("inside", 0, 1<<62)...)
		if len(bad) == 0 {
			return ""
		}
		return fmt.Sprintf("%d failed, the first at %v: %s", len(bad), bad[0].Intended, bad[0].Error)
	}}
}

// untouched demands that nothing is fenced, rebooted or moved.
func untouched() check {
	return check{"nothing is fenced, rebooted or moved", func(o *told) string {
		fences := o.count("lease.fenced") + o.count("lease.isolated")
		if fences+len(o.reboots)+o.orders() == 0 && o.lease.Epoch == 1 {
			return ""
		}
		return fmt.Sprintf("%d fences, %d reboots, %d orders to promote, lease epoch %d", fences, len(o.reboots), o.orders(), o.lease.Epoch)
	}}
}

// hear demands that people are told something between two times.
func hear(from, within time.Duration) check {
	return check{fmt.Sprintf("people are told within %v", within), func(o *told) string {
		for _, m := range o.messages {
			if m.at >= from && m.at <= from+within {
				return ""
			}
		}
		return fmt.Sprintf("%d messages, none in time", len(o.messages))
	}}
}

// hush demands that people are told at most n times.
func hush(n int) check {
	return check{fmt.Sprintf("at most %d messages", n), func(o *told) string {
		if len(o.messages) <= n {
			return ""
		}
		return fmt.Sprintf("%d messages", len(o.messages))
	}}
}

// oneOwner demands that after the last of AWS's own moves a writer accepts within 10 s
// and goes on, that lease and control plane name it, that nothing is lost, and that the
// servers never accept both.
func oneOwner(within time.Duration) []check {
	return []check{{"one writer after the move", func(o *told) string {
		if len(o.moves) == 0 {
			return "nothing moved"
		}
		end := o.moves[len(o.moves)-1].PromotedAt.Sub(o.start)
		for _, s := range o.samples {
			if s.at >= end+within && (s.endpoint != o.writer || !map[dr.Region]bool{drill.East: s.east, drill.West: s.west}[o.writer]) {
				return fmt.Sprintf("AWS moved the writer to %s at %v; at %v east accepts %v, west %v, the endpoint is %s", o.writer, end, s.at, s.east, s.west, s.endpoint)
			}
		}
		if o.lease.Holder != o.writer {
			return fmt.Sprintf("the writer is in %s, the lease with %s", o.writer, o.lease.Holder)
		}
		return ""
	}}, neverBoth(), hear(0, time.Minute)}
}

// neverBoth demands that no two servers accept writes at once.
func neverBoth() check {
	return check{"never two writers", func(o *told) string {
		if d := o.dual(); d > 0 {
			return fmt.Sprintf("both accepted for %v", d)
		}
		return ""
	}}
}

// nothingLost demands that no acknowledged write is lost.
func nothingLost() check {
	return check{"no acknowledged write is lost", func(o *told) string {
		if n := len(o.lost()); n > 0 {
			return fmt.Sprintf("%d are lost", n)
		}
		return ""
	}}
}

// movedBy demands that the other Region accepts writes at a time at the latest.
func movedBy(d time.Duration) check {
	return check{fmt.Sprintf("the other Region writes within %v", d), func(o *told) string {
		for _, s := range o.samples {
			if s.west {
				if s.at <= d {
					return ""
				}
				return fmt.Sprintf("it does after %v", s.at)
			}
		}
		return "it never does"
	}}
}

// stays demands that the writer stays where it is, for whatever else is wrong.
func stays() check {
	return check{"the writer stays", func(o *told) string {
		if o.orders() == 0 && o.lease.Holder == drill.East {
			return ""
		}
		return fmt.Sprintf("%d orders to promote, the lease is with %s", o.orders(), o.lease.Holder)
	}}
}

// asks demands a question with a code, and in which time.
func asks(code failover.Code, within time.Duration) check {
	return check{fmt.Sprintf("people are asked %s within %v", code, within), func(o *told) string {
		var got []string
		for _, m := range o.messages {
			if strings.HasSuffix(m.subject, string(code)) && m.at <= within {
				return ""
			}
			got = append(got, fmt.Sprintf("%v %s", m.at, m.subject))
		}
		return fmt.Sprintf("they were told %q", got)
	}}
}

// epochKept demands that the point of no return was not passed.
func epochKept() check {
	return check{"the epoch is not taken", func(o *told) string {
		if o.count(measure.MarkDecided) == 0 {
			return ""
		}
		return fmt.Sprintf("it is %d", o.lease.Epoch)
	}}
}

// fewOrders demands that a promotion is asked for at most n times.
func fewOrders(n int) check {
	return check{fmt.Sprintf("RDS is asked to promote at most %d times", n), func(o *told) string {
		if o.orders() <= n {
			return ""
		}
		return fmt.Sprintf("%d times", o.orders())
	}}
}

// serves demands that the writer accepts writes at the end of the case and for some time
// before.
func serves(for_ time.Duration) check {
	return check{"there is a writer at the end", func(o *told) string {
		end := o.samples[len(o.samples)-1].at
		if d := o.dark(end - for_); d > 0 {
			return fmt.Sprintf("for %v of the last %v no server accepted writes", d, for_)
		}
		return ""
	}}
}

// asking is a person's request of West's trigger. A status has no target, and is refused
// with one.
func asking(r event.Request) func(*told) string {
	return func(*told) string {
		if r.Target == "" && r.Mode != event.Status {
			r.Target = drill.West
		}
		return written(r)
	}
}

// consents answers the question of the n-th execution, as it asks now.
func consents(n int) func(*told) string {
	return func(o *told) string {
		all := o.executions()
		if len(all) <= n {
			return ""
		}
		return written(event.AnswerTo(all[n], "on call", "the loss is accepted"))
	}
}

func written(r event.Request) string {
	payload, err := json.Marshal(r)
	if err != nil {
		return err.Error() // no field of it can fail
	}
	return string(payload)
}

// reached demands that Lambda accepted what people asked, and that it was carried out.
func reached() check {
	return check{"a person gets through at the first attempt", func(o *told) string {
		if len(o.answers) == 0 {
			return "no person got an answer"
		}
		for _, a := range o.answers {
			switch {
			case a.Failed != "": // by Lambda, or by the function
				return a.Failed
			case a.Response.Refused != "":
				return fmt.Sprintf("it is refused: %s: %s", a.Response.Refused, a.Detail)
			}
		}
		return ""
	}}
}

// A check that can't fail proves nothing: a request that Lambda had accepted and whose
// invocation failed passed for carried out.
func TestReachedIsCarriedOut(t *testing.T) {
	done := embedded.Answer{Response: event.Response{State: failover.Settled}}
	refused := embedded.Answer{Response: event.Response{Refused: event.OtherExecution, Detail: "the newest is 2-1"}}
	require.Empty(t, reached().holds(&told{answers: []embedded.Answer{done}}))
	require.NotEmpty(t, reached().holds(&told{}), "there is no answer")
	for name, a := range map[string]embedded.Answer{
		"Lambda refuses":      {Failed: "429", Refused: true},
		"the function fails":  {Failed: "out of time"},
		"the trigger refuses": refused,
	} {
		require.NotEmpty(t, reached().holds(&told{answers: []embedded.Answer{done, a}}), name)
	}
}
