package failover

import (
	"fmt"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Explanation answers "would you fail over now, and why not?".
type Explanation struct {
	Verdict health.Verdict
	// Would is true when an automatic failover would begin now.
	Would bool
	// Question is what an operator would be asked first, if anything.
	Question Code
	Missing  []string // proofs that are lacking, and the question in words
	// OwnRTO is the worst case of Lifeboat's own share. Aurora's promotion comes
	// on top and has no bound.
	OwnRTO time.Duration
	// CrashRPO is the last known replication lag; negative when not known.
	// PartitionRPO is the most that a writer cut off with its clients may add.
	CrashRPO     time.Duration
	PartitionRPO time.Duration
}

// Explain tells what a controller with this policy would do about a verdict. It is
// pure: it makes no call and starts nothing.
func Explain(p dr.Policy, t dr.Topology, v health.Verdict, recent int) Explanation {
	p = p.WithDefaults()
	b := p.Budget()
	e := Explanation{Verdict: v, Missing: append([]string(nil), v.Missing...), OwnRTO: b.Own(), CrashRPO: -1, PartitionRPO: b.PartitionWindow}
	ev := Evidence{MonitorDiedFirst: v.MonitorDiedFirst, LagAge: v.LagAge, Recent: recent, Witness: t.Witness != ""}
	if v.Lag != nil {
		ev.LagKnown, ev.Lag, e.CrashRPO = true, v.Lag.Value, v.Lag.Value
	}
	codes, why := question(p, Execution{Mode: ModeFailover, Evidence: ev})
	if len(codes) > 0 {
		e.Question, e.Missing = codes[0], append(e.Missing, why)
	}
	if p.Automatic == dr.AutomaticNever {
		e.Missing = append(e.Missing, "a policy that acts: it observes only (Automatic: never)")
	}
	e.Would = v.State == health.Impaired && len(codes) == 0 && p.Automatic != dr.AutomaticNever
	return e
}

// String prints the explanation for a person, one fact a line.
func (e Explanation) String() string {
	var b strings.Builder
	answer := "no"
	if e.Would {
		answer = "yes"
	}
	fmt.Fprintf(&b, "fail over from %s now: %s (verdict %s)\n", e.Verdict.Subject, answer, e.Verdict.State)
	for _, o := range e.Verdict.Votes {
		fmt.Fprintf(&b, "  vote     %-11s %-7s from %s, %s", o.Family, o.Answer, o.Vantage, o.Method)
		if o.Cause != "" {
			fmt.Fprintf(&b, ": %s", o.Cause)
		}
		b.WriteByte('\n')
	}
	for _, m := range e.Missing {
		fmt.Fprintf(&b, "  missing  %s\n", m)
	}
	fmt.Fprintf(&b, "  rto      own share at most %v, plus Aurora's promotion\n", e.OwnRTO)
	if e.CrashRPO < 0 {
		fmt.Fprintf(&b, "  rpo      crash: unknown; partition: at most %v more\n", e.PartitionRPO)
	} else {
		fmt.Fprintf(&b, "  rpo      crash: %v; partition: at most %v more\n", e.CrashRPO, e.PartitionRPO)
	}
	return b.String()
}

// Report sums an execution up for a person.
func (x Execution) Report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "execution %s: %s from %s to %s, epoch %d\n", x.ID, x.Mode, x.From, x.To, x.Epoch)
	if x.Origin.By != "" {
		fmt.Fprintf(&b, "asked for by %s: %s\n", x.Origin.By, x.Origin.Reason)
	}
	fmt.Fprintf(&b, "state %s", x.State)
	if x.Code != "" {
		fmt.Fprintf(&b, " (%s)", x.Code)
	}
	if x.Detail != "" {
		fmt.Fprintf(&b, ": %s", x.Detail)
	}
	if x.State == AwaitingApproval {
		fmt.Fprintf(&b, "\nquestion %s, put in %s", x.Question.ID, x.Asked)
	}
	fmt.Fprintf(&b, "\nevidence: %s\n", x.Evidence.Why)
	if x.Mode == ModeFailover || x.Mode == "" {
		if x.Evidence.LagKnown {
			fmt.Fprintf(&b, "last replication lag: %v, %v before the evidence went dark\n", x.Evidence.Lag, x.Evidence.LagAge)
		} else {
			b.WriteString("last replication lag: unknown\n")
		}
	}
	if x.Proof != "" {
		fmt.Fprintf(&b, "fence: %s\n", x.Proof)
	}
	if x.Ack != nil {
		fmt.Fprintf(&b, "question %s acknowledged by %s: %s\n", x.Ack.Question, x.Ack.By, x.Ack.Reason)
	}
	if x.Last.By != "" {
		fmt.Fprintf(&b, "last request by %s: %s\n", x.Last.By, x.Last.Reason)
	}
	if x.Pause != nil {
		fmt.Fprintf(&b, "automation paused until %s by %s: %s\n", x.Pause.Until.UTC().Format(time.RFC3339), x.Pause.By, x.Pause.Reason)
	}
	return b.String()
}
