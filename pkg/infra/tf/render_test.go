package tf_test

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

func replay(t *testing.T, r tf.Renderer, files ...string) {
	t.Helper()
	for _, file := range files {
		f, err := os.Open("testdata/" + file)
		require.NoError(t, err)
		for event, err := range tf.Events(f) {
			if err == nil {
				r.Event("global", event)
			}
		}
		require.NoError(t, f.Close())
	}
}

func TestLinesSayEachThingOnce(t *testing.T) {
	var out bytes.Buffer
	r := tf.NewLines(&out)
	r.Event("global", tf.UnitStarted{Op: tf.OpApply})
	replay(t, r, "apply.jsonl")
	r.Event("global", tf.UnitFinished{Op: tf.OpApply, Elapsed: 11200 * time.Millisecond})
	r.Event("link", tf.UnitWaits{For: []string{"region-us-east-1"}})
	require.NoError(t, r.Close())
	require.Equal(t, `global: apply begins
global: terraform_data.slow: to create
global: aws_rds_global_cluster.this: to create
global: aws_rds_cluster.this: to create
global: terraform_data.slow: create begins
global: aws_rds_global_cluster.this: create begins
global: aws_rds_global_cluster.this: create done in 0s
global: aws_rds_cluster.this: create begins
global: aws_rds_cluster.this: create done in 0s
global: terraform_data.slow: create goes on, 10s
global: terraform_data.slow: create done in 11s
global: applied: 3 added, 0 changed, 0 destroyed
global: apply done in 11s
link: waits for outputs of region-us-east-1
`, out.String())
}

func TestLinesOfTroubles(t *testing.T) {
	var out bytes.Buffer
	r := tf.NewLines(&out)
	replay(t, r, "cancelled.jsonl", "locked.jsonl", "replace.jsonl", "refresh.jsonl", "dump.jsonl", "future.jsonl")
	r.Event("global", tf.UnitFinished{Op: tf.OpPlan, Elapsed: time.Second, Err: errors.New("x")})
	for _, want := range []string{
		"Interrupt received", "terraform_data.slow: create FAILED after 1s", "error: Error acquiring the state lock\n  Error message:",
		"terraform_data.new: to replace (cannot update), was terraform_data.old", "terraform_data.new: has changed outside of terraform (move)",
		"it is kept in .lifeboat/errored.tfstate", "0 destroyed, 2 imported", "plan failed after 1s",
	} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), secret)
	require.NotContains(t, out.String(), "Refresh")
}

func TestDescribeKeepsTheTerminalSafe(t *testing.T) {
	require.Equal(t, "error: [2Jgone\ttab\nnext", tf.Describe(tf.Diagnostic{Severity: "error", Summary: "\x1b[2Jgone\ttab\r", Detail: "next\x07"}))
}

// screen is as much of a terminal as the table uses: lines, cursor up, erase below.
type screen struct {
	mu    sync.Mutex
	lines []string
}

var up = regexp.MustCompile(`^\x1b\[(\d+)A\r\x1b\[J`)

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := string(p)
	if m := up.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0, err
		}
		s.lines = s.lines[:len(s.lines)-n]
		text = text[len(m[0]):]
	}
	for line := range strings.Lines(text) {
		s.lines = append(s.lines, strings.TrimSuffix(line, "\n"))
	}
	return len(p), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

func TestTableShowsWhatRunsBelowWhatHappened(t *testing.T) {
	s := &screen{}
	table := tf.NewTable(s, func() int { return 60 })
	cluster := tf.Resource{Address: "module.database.aws_rds_cluster.this"}
	long := tf.Resource{Address: "module.network.aws_vpc_endpoint.interface[\"secretsmanager\"]"}
	table.Event("region-us-east-1", tf.UnitStarted{Op: tf.OpApply})
	for _, r := range []tf.Resource{cluster, long} {
		table.Event("region-us-east-1", tf.Planned{Resource: r, Action: "create"})
		table.Event("region-us-east-1", tf.Applying{Resource: r, Action: "create"})
	}
	table.Event("region-us-east-1", tf.Progress{Resource: cluster, Action: "create", Elapsed: 20 * time.Minute})
	got := s.String()
	require.Regexp(t, `(?m)^region-us-east-1  apply  \S+  0 of 2$`, got)
	require.Regexp(t, `(?m)^  module.database.aws_rds_cluster.this +create +20m0s$`, got)
	require.Contains(t, got, "…", "the end of an address is what tells it apart")
	require.Contains(t, got, `["secretsmanager"]`)
	require.Equal(t, 1, strings.Count(got, "20m0s"), "drawn over, not below")
	for line := range strings.Lines(got) {
		if !strings.Contains(line, ": ") { // of the table
			require.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), 60)
		}
	}

	table.Event("region-us-east-1", tf.Applied{Resource: cluster, Action: "create", Elapsed: 21 * time.Minute})
	table.Event("region-us-east-1", tf.Failed{Resource: long, Action: "create", Elapsed: time.Minute})
	table.Event("region-us-east-1", tf.UnitFinished{Op: tf.OpApply, Elapsed: 22 * time.Minute, Err: errors.New("x")})
	require.NoError(t, table.Close())
	require.Equal(t, `region-us-east-1: module.database.aws_rds_cluster.this: to create
region-us-east-1: module.network.aws_vpc_endpoint.interface["secretsmanager"]: to create
region-us-east-1: module.database.aws_rds_cluster.this: create done in 21m0s
region-us-east-1: module.network.aws_vpc_endpoint.interface["secretsmanager"]: create FAILED after 1m0s
region-us-east-1: apply failed after 22m0s`, s.String(), "the table leaves nothing behind")
}

func TestTableHasBoundedHeight(t *testing.T) {
	s := &screen{}
	table := tf.NewTable(s, func() int { return 80 })
	table.Event("global", tf.UnitStarted{Op: tf.OpApply})
	for i := range 40 {
		table.Event("global", tf.Applying{Resource: tf.Resource{Address: strings.Repeat("a", i+1)}, Action: "create"})
	}
	require.Contains(t, s.String(), "  and 28 more")
	require.Equal(t, 14, strings.Count(s.String(), "\n")+1)
	require.NoError(t, table.Close())
	require.Empty(t, s.String())
}

func TestRendererOfAFileIsPlain(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	r := tf.NewRenderer(f)
	require.IsType(t, &tf.Lines{}, r)
	require.NoError(t, f.Close())
	require.NotPanics(t, func() { r.Event("global", tf.UnitStarted{Op: tf.OpPlan}) }, "a log that is full does not stop terraform")
}
