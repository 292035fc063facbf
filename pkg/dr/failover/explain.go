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

// Known is what is known, beside the verdict, of what decides whether a failover begins. A
// process that has not read one of them leaves it out, and the explanation is without it.
type Known struct {
	Recent int    // automatic failovers in the policy's window
	Blind  bool   // see Evidence.Blind
	Pause  *Pause // the one that is in force
	// Open is the execution that is open: nothing else begins before it has ended.
	Open *Execution
	// NotReady is why the Region that would take over can't be promoted.
	NotReady string
}

// Explain tells what a controller with this policy would do about a verdict. It is
// pure: it makes no call and starts nothing.
func Explain(p dr.Policy, t dr.Topology, v health.Verdict, k Known) Explanation {
	p = p.WithDefaults()
	b := p.Budget()
	e := Explanation{Verdict: v, Missing: append([]string(nil), v.Missing...), OwnRTO: b.Own(), CrashRPO: -1, PartitionRPO: b.PartitionWindow}
	ev := Evidence{MonitorDiedFirst: v.MonitorDiedFirst, LagAge: v.LagAge, Blind: k.Blind, Recent: k.Recent, Witness: t.Witness != ""}
	if v.Lag != nil {
		ev.LagKnown, ev.Lag, e.CrashRPO = true, v.Lag.Value, v.Lag.Value
	}
	codes, why := question(p, Execution{Mode: ModeFailover, From: v.Subject, Evidence: ev})
	if len(codes) > 0 {
		e.Question, e.Missing = codes[0], append(e.Missing, why)
	}
	lacks := func(format string, args ...any) { e.Missing = append(e.Missing, fmt.Sprintf(format, args...)) }
	if p.Automatic == dr.AutomaticNever {
		lacks("a policy that acts: it observes only (Automatic: never)")
	}
	if k.Pause != nil {
		lacks("an end of the pause: %s", pausedWhy(k.Pause))
	}
	if x := k.Open; x != nil {
		lacks("an end of execution %s, which moves the writer to %s", x.ID, x.To)
	}
	if k.NotReady != "" {
		lacks("a target that can be promoted: %s", k.NotReady)
		if e.Question == "" {
			e.Question = CodeTargetNotReady
		}
	}
	e.Would = v.State == health.Impaired && len(e.Missing) == 0
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
	for _, o := range e.Verdict.Observations {
		fmt.Fprintf(&b, "  observed %-11s %-7s from %s, %s", o.Family, o.Answer, o.Vantage, o.Method)
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
