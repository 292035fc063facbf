package cloudwatch_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
)

var update = flag.Bool("update", false, "write the golden files")

// start is when every story begins.
var start = time.UnixMilli(1767225600000)

// told returns the lines of a story, as they are written.
func told(t *testing.T, story func(*dr.Trace)) string {
	t.Helper()
	var out bytes.Buffer
	e, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{Writer: &out, Region: west, GlobalCluster: "orders"})
	require.NoError(t, err)
	story(e.Trace())
	require.NoError(t, e.Err())
	return out.String()
}

func report(at time.Time, age time.Duration) dr.Report {
	return dr.Report{At: at, Region: west, Delivered: true, Holder: east, Epoch: 4, LeaseAge: age}
}

func sample(at time.Time, state string, answers ...dr.Observation) dr.Sample {
	return dr.Sample{At: at, Vantage: west, Subject: east, State: state, Took: 40 * time.Millisecond, Observations: answers, Lag: 120500 * time.Microsecond, LagAt: at.Add(-300 * time.Millisecond)}
}

var (
	alive = dr.Observation{Family: "sql", Answer: "alive"}
	dead  = dr.Observation{Family: "sql", Answer: "dead"}
	moved = dr.Observation{Family: "replication", Answer: "alive"}
)

// failover is a story: the west takes the work up, watches, and moves the writer.
func failover(tr *dr.Trace) {
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	monitorLease := func(s float64, what string, gap time.Duration) {
		tr.OnMonitorLease(dr.MonitorLeaseChange{At: at(s), Region: west, Process: "8f0a/QMJZ", Number: 12, What: what, Gap: gap})
	}
	monitorLease(0, dr.MonitorLeaseClaimed, 0)
	monitorLease(0.6, dr.MonitorLeaseTaken, 612345678*time.Nanosecond)
	tr.OnVerdict(dr.VerdictChange{At: at(1), Vantage: west, Subject: east, State: "Healthy", Why: "still serves writes"})
	for i := range 11 {
		s := float64(i + 1)
		if i%2 == 0 && i < 8 {
			tr.OnSample(sample(at(s), "Healthy", alive, alive, moved))
		}
		tr.OnReport(report(at(s+.5), time.Duration(500+i)*time.Millisecond))
	}
	dark := sample(at(13), "Degraded", dead, dr.Observation{Family: "heartbeat", Answer: "unknown"})
	dark.LagAt, dark.Took = time.Time{}, 1500*time.Millisecond
	tr.OnSample(dark)
	tr.OnVerdict(dr.VerdictChange{At: at(13), Vantage: west, Subject: east, State: "Degraded", Since: at(11.5), Why: "sql dead from us-west-2 (timeout)"})
	silent := report(at(13.5), 3*time.Second)
	silent.Delivered = false
	tr.OnReport(silent)
	tr.OnProblem(dr.Problem{At: at(13.5), Region: west, Op: "publish report", Err: errors.New("deadline exceeded")})
	before, since := dr.State(""), time.Time{}
	for i, state := range []dr.State{"Confirmed", "EpochTaken", "Fenced", "LossAccepted", "Promoted", "Verified", "Redirected", "Settled"} {
		now := at(20 + float64(i*i)/4)
		tr.OnState(dr.StateChange{
			At: now, Region: west, Execution: "0000000005-0001", From: east, To: west, Epoch: 5, State: state, Detail: "as it should",
			Before: before, Since: since, DarkSince: at(11.5),
		})
		before, since = state, now
	}
	tr.OnLease(dr.LeaseChange{At: at(33), Region: west, Epoch: 5, What: dr.LeaseHeld})
	monitorLease(60, dr.MonitorLeaseYielded, 0)
	monitorLease(61, dr.MonitorLeaseLeft, 0)
	monitorLease(121, dr.MonitorLeaseLapsed, 0)
}

func TestGoldenLines(t *testing.T) {
	const file = "testdata/events.jsonl"
	got := told(t, failover)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test ./pkg/dr/cloudwatch -update writes %s", file)
}

// What people, servers and exceptions say can't begin a line, add a metric, or make a
// line longer than a log event may be.
func TestNoTextForgesALine(t *testing.T) {
	for name, text := range map[string]string{
		"a line":         "x\n{\"_aws\":{\"Timestamp\":1,\"CloudWatchMetrics\":[]},\"VerdictChanges\":1,\"State\":\"Impaired\"}\n",
		"a carriage":     "x\r{\"VerdictChanges\":1}",
		"a field":        `x","VerdictChanges":1,"State":"Impaired","y":"`,
		"a separator":    "x\u2028{\"VerdictChanges\":1}\u2029",
		"no text at all": "\xff\xfe\x00\x1b[2J",
		"a novel":        strings.Repeat("\x01", 1<<20),
		"a wide novel":   strings.Repeat("é漢", 1<<18),
	} {
		t.Run(name, func(t *testing.T) {
			out := told(t, func(tr *dr.Trace) {
				tr.OnProblem(dr.Problem{At: start, Op: "renew lease", Err: errors.New(text)})
				tr.OnLease(dr.LeaseChange{At: start, What: dr.LeaseLost, Detail: text})
				tr.OnState(dr.StateChange{At: start, Execution: "0000000005-0001", State: "Aborted", Before: "Confirmed", Detail: text})
				tr.OnMonitorLease(dr.MonitorLeaseChange{At: start, What: dr.MonitorLeaseTaken, Process: text})
				tr.OnVerdict(dr.VerdictChange{At: start, Subject: east, State: "Healthy", Why: text})
			})
			got := lines(t, out)
			require.Len(t, got, 5)
			for i, l := range got {
				require.Less(t, len(l.raw), 32<<10)
				_, forged := l.fields["VerdictChanges"]
				require.Equal(t, i == 4, forged)
				require.NotEqual(t, "Impaired", l.fields["State"])
				require.NotContains(t, l.raw, "\u2028")
			}
		})
	}
}

func TestConcurrentEventsAreWholeLines(t *testing.T) {
	var out bytes.Buffer
	e, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{Writer: &out, Region: west, GlobalCluster: "orders"})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { failover(e.Trace()) })
	}
	wg.Wait()
	require.NoError(t, e.Err())
	for _, l := range lines(t, out.String()) {
		l.check(t)
	}
}

func TestEventsConfigReportsEverythingAtOnce(t *testing.T) {
	_, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{Every: -time.Second})
	require.ErrorContains(t, err, "required")
	require.ErrorContains(t, err, "Every -1s is negative")
}
