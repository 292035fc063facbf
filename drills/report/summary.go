package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
)

// Summary is the run for people: what was broken, the phases with their offsets
// from the first failed write, the numbers, every reason, and Line at the end.
func Summary(m Meta, r measure.Result, v measure.Verdict, folder string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "DRILL %s  target=%s  seed=%d  started=%s\n", m.Scenario, m.Target, m.Seed, m.Started.UTC().Format(time.RFC3339))
	if m.Plan != "" {
		fmt.Fprintf(&b, "  broken      %s\n", m.Plan)
	}
	if m.Model != "" {
		fmt.Fprintf(&b, "  model       %s (n=%d): a model, not a measurement of AWS\n", m.Model, m.N)
	}
	b.WriteString("\n")
	phaseTable(&b, r)
	numbers(&b, r)
	lostTable(&b, r)
	dualTable(&b, r)
	for _, reason := range reasons(v) {
		fmt.Fprintf(&b, "  %s\n", reason)
	}
	fmt.Fprintf(&b, "\n%s\n", Line(r, v, folder))
	return b.String()
}

// Line is the run in one line: RTO, RPO, lost and acknowledged writes, verdict,
// folder.
func Line(r measure.Result, v measure.Verdict, folder string) string {
	return fmt.Sprintf("RTO %s  RPO %s  lost %d of %d acknowledged writes  %s  %s",
		rto(r), measure.Span(r.RPO), r.Writes.Lost, r.Writes.OK, v.Outcome, folder)
}

// rto prints a capped value as what it is: a lower bound.
func rto(r measure.Result) string {
	if r.Capped {
		return ">" + measure.Span(r.RTO)
	}
	return measure.Span(r.RTO)
}

func phaseTable(b *strings.Builder, r measure.Result) {
	if r.RTO == 0 {
		b.WriteString("  no write failed\n\n")
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "phase\tfrom\tto\ttook\t")
	for _, p := range r.Phases {
		if !p.Known {
			fmt.Fprintf(w, "%s\t-\t-\tno mark\t\n", p.Name)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", p.Name, offset(p.From-r.Start), offset(p.To-r.Start), measure.Span(p.Length()))
	}
	fmt.Fprintf(w, "unattributed\t\t\t%s\t\n", measure.Span(r.Unattributed))
	fmt.Fprintf(w, "RTO\t%s\t%s\t%s\t\n", offset(0), offset(r.End-r.Start), rto(r))
	w.Flush() // into a strings.Builder: can't fail
	b.WriteString("\n")
}

func offset(d time.Duration) string { return fmt.Sprintf("+%.3f", d.Seconds()) }

func numbers(b *strings.Builder, r measure.Result) {
	w := r.Writes
	fmt.Fprintf(b, "  RTO         %s, objective %s; first ok after %s; outages %d, together %s; %s after the fault took effect\n",
		rto(r), measure.Span(r.Objectives.RTO), measure.Span(r.FirstOK), len(r.Outages), measure.Span(r.Bad), measure.Span(r.FromFault))
	fmt.Fprintf(b, "  writable    %s after the fault took effect, at the promoted server\n", measure.Span(r.Writable))
	fmt.Fprintf(b, "  RPO         %s, objective %s; %s and %d writes had timeouts been taken for success; resolution %s\n",
		measure.Span(r.RPO), measure.Span(r.Objectives.RPO), measure.Span(r.Naive), r.NaiveLost, measure.Span(r.Resolution))
	fmt.Fprintf(b, "  writes      %d attempted: %d ok, %d fail, %d info, %d dropped\n", w.Attempted, w.OK, w.Fail, w.Info, w.Dropped)
	fmt.Fprintf(b, "              %d lost, %d recovered, %d unexpected, %d dual-acknowledged, %d lost out of order\n",
		w.Lost, w.Recovered, w.Unexpected, w.DualAcknowledged, r.OrderLoss)
	fmt.Fprintf(b, "  failovers   %d, writer %s -> %s\n\n", r.Failovers, r.OldWriter, r.NewWriter)
}

// shown bounds the writes of each table in the summary; result.json has all of them.
const shown = 10

func lostTable(b *strings.Builder, r measure.Result) {
	table(b, "lost write\tclient\tacknowledged by\tat\tkind", len(r.Lost), func(w io.Writer, i int) {
		l := r.Lost[i]
		fmt.Fprintf(w, "  %d\t%s\t%s\t%s\t%s\n", l.ID, l.Client, l.Server, offset(l.End), l.Kind)
	})
}

func dualTable(b *strings.Builder, r measure.Result) {
	table(b, "dual write\tclient\tacknowledged by\tat\tsurvived", len(r.Dual), func(w io.Writer, i int) {
		d := r.Dual[i]
		fmt.Fprintf(w, "  %d\t%s\t%s\t%s\t%t\n", d.ID, d.Client, d.Server, offset(d.End), d.Survived)
	})
}

// table prints the first of n writes, and where the others are.
func table(b *strings.Builder, head string, n int, row func(io.Writer, int)) {
	if n == 0 {
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  "+head)
	for i := range min(shown, n) {
		row(w, i)
	}
	w.Flush() // into a strings.Builder: can't fail
	if n > shown {
		fmt.Fprintf(b, "  and %d more in %s\n", n-shown, ResultFile)
	}
	b.WriteString("\n")
}
