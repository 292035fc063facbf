package cost_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/build/internal/cost"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// perEvent is what CloudWatch Logs adds to each event before it bills it [K].
const perEvent = 26

// lambdas is about what Lambda itself and the function's host log for an invocation:
// START, END and REPORT, and "answered"; and what a request id is longer in four lines
// than the name of a test's process.
const lambdas = 900

// What monitors write while all is well is what is billed: bytes and metrics.
func TestLogsAreTheMonitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const watched = 10
		logs, ticks := write(t, watched*time.Minute)
		var bytes, summaries, long int
		metrics := map[string]bool{}
		for region, out := range logs {
			for line := range lines(out) {
				var l struct {
					AWS struct {
						CloudWatchMetrics []struct{ Metrics []struct{ Name string } }
					} `json:"_aws"`
					Reports int
				}
				require.NoError(t, json.Unmarshal([]byte(line), &l))
				for _, d := range l.AWS.CloudWatchMetrics {
					for _, m := range d.Metrics {
						metrics[fmt.Sprint(region, m.Name)] = true
					}
				}
				if n := len(line) + 1 + perEvent; l.Reports > 0 {
					summaries, long = summaries+1, long+n
				} else {
					bytes += n
				}
			}
		}
		l := cost.Loop{}.WithDefaults()
		t.Logf("%d summaries of %d bytes on average, %d bytes besides for each of %d invocations, %d metrics", summaries, long/summaries, bytes/ticks, ticks, len(metrics))
		covered := float64(watched*time.Minute/l.Summary) * 3
		require.InEpsilon(t, covered, float64(summaries), 0.2, "a handover writes what is gathered")
		require.InEpsilon(t, covered*float64(l.SummaryBytes), float64(long), 0.1)
		require.InEpsilon(t, l.HandoverBytes, bytes/ticks+lambdas, 0.1)
		steady, _ := l.Metrics()
		const role = 4
		require.Len(t, metrics, steady-role)
	})
}

// All metrics that are documented can be billed.
func TestMetricsAreCloudwatchs(t *testing.T) {
	doc, err := os.ReadFile("../../../../pkg/dr/cloudwatch/doc.go")
	require.NoError(t, err)
	names := regexp.MustCompile(`(?m)^//\t(\w+) +(Count|Milliseconds|None)\b`).FindAllString(string(doc), -1)
	_, most := cost.Loop{Members: 2, Witnesses: 1}.Metrics()
	require.Equal(t, (len(names)-1)*3+4, most, "WriterHere is in two Regions, about two")
}

func lines(out *bytes.Buffer) func(func(string) bool) {
	return func(yield func(string) bool) {
		for {
			line, err := out.ReadString('\n')
			if err != nil || !yield(line[:len(line)-1]) {
				return
			}
		}
	}
}

// write runs the monitors of all Regions, a process a minute in each, and returns what
// they have written and how many were started.
func write(t *testing.T, watched time.Duration) (map[dr.Region]*bytes.Buffer, int) {
	t.Helper()
	world, err := drtest.NewWorld(drtest.WorldConfig{Topology: topology})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context()) // a deadline would be the invocations'
	defer stop()
	defer time.AfterFunc(watched, stop).Stop()
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		ticks  int
		leases monitorleasetest.Memory
		logs   = map[dr.Region]*bytes.Buffer{}
	)
	for _, region := range topology.Vantages() {
		logs[region] = &bytes.Buffer{}
		events, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{Writer: logs[region], Region: region, GlobalCluster: topology.GlobalCluster})
		require.NoError(t, err)
		cfg := monitor.Config{Agent: monitor.Witness(world.Witness(dr.Policy{}, events.Trace()))}
		if region != topology.Witness {
			cfg = monitor.Config{Agent: monitor.Member(member(world, region, dr.Policy{}, events.Trace())), Role: discard{}}
		}
		h, err := monitor.New(cfg.WithMonitorLease(&leases, slog.New(slog.DiscardHandler)))
		require.NoError(t, err)
		wg.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				ticks++
				mu.Unlock()
				wg.Go(func() { _, _ = h.Invoke(ctx, nil) })
				select {
				case <-ctx.Done():
				case <-time.After(time.Minute):
				}
			}
		})
	}
	wg.Wait()
	return logs, ticks
}

func (discard) Redirect(context.Context, dr.Region, dr.Epoch) error { return nil }
