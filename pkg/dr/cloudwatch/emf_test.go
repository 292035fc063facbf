package cloudwatch_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// line is what was written, as CloudWatch reads it.
type line struct {
	raw    string
	fields map[string]any
	aws    *struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	}
}

// lines parses an output strictly: one object per line and nothing else.
func lines(t *testing.T, out string) []line {
	t.Helper()
	if out == "" {
		return nil
	}
	require.True(t, strings.HasSuffix(out, "\n"))
	var all []line
	for raw := range strings.SplitSeq(strings.TrimSuffix(out, "\n"), "\n") {
		l := line{raw: raw}
		require.NoError(t, json.Unmarshal([]byte(raw), &l.fields), raw)
		if meta, ok := l.fields["_aws"]; ok {
			text, err := json.Marshal(meta)
			require.NoError(t, err)
			d := json.NewDecoder(strings.NewReader(string(text)))
			d.DisallowUnknownFields() // the specification forbids other members
			require.NoError(t, d.Decode(&l.aws), raw)
		}
		all = append(all, l)
	}
	return all
}

// values returns the values of a metric; none when the line doesn't have it.
func (l line) values(name string) []float64 {
	switch v := l.fields[name].(type) {
	case float64:
		return []float64{v}
	case []any:
		var out []float64
		for _, x := range v {
			out = append(out, x.(float64))
		}
		return out
	}
	return nil
}

// check holds a line to the limits of the embedded metric format (CloudWatch user guide).
func (l line) check(t *testing.T) {
	t.Helper()
	require.LessOrEqual(t, len(l.raw), 256<<10-26, "a log event")
	require.NotEmpty(t, l.fields["Region"])
	require.NotEmpty(t, l.fields["GlobalCluster"])
	if l.aws == nil {
		return
	}
	require.Greater(t, l.aws.Timestamp, int64(1e12), "milliseconds")
	require.Len(t, l.aws.CloudWatchMetrics, 1)
	m := l.aws.CloudWatchMetrics[0]
	require.NotEmpty(t, m.Namespace)
	require.LessOrEqual(t, len(m.Namespace), 1024)
	require.Equal(t, [][]string{{"Region", "GlobalCluster"}}, m.Dimensions, "more would be more metrics to pay")
	for _, d := range m.Dimensions[0] {
		require.IsType(t, "", l.fields[d])
		require.LessOrEqual(t, len(l.fields[d].(string)), 1024)
	}
	require.NotEmpty(t, m.Metrics)
	require.LessOrEqual(t, len(m.Metrics), 100)
	seen := map[string]bool{}
	for _, x := range m.Metrics {
		require.False(t, seen[x.Name], "%s twice", x.Name)
		seen[x.Name] = true
		require.Contains(t, []string{"Count", "Milliseconds", "None"}, x.Unit)
		v := l.values(x.Name)
		require.NotEmpty(t, v, "%s has no value in %s", x.Name, l.raw)
		require.LessOrEqual(t, len(v), 100)
	}
}

func TestGoldenLinesKeepTheFormat(t *testing.T) {
	for _, l := range lines(t, told(t, failover)) {
		l.check(t)
	}
}

// Alarms and dashboards are read off the package's documentation.
func TestEveryMetricIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	documented := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^//\t(\w+) +(Count|Milliseconds|None)\b`).FindAllStringSubmatch(string(doc), -1) {
		documented[m[1]] = m[2]
	}
	written := map[string]string{"WriterHere": "None"}
	standstill := func(tr *dr.Trace) {
		for s := range 11 {
			at := start.Add(time.Duration(s) * time.Second)
			tr.OnReport(dr.Report{At: at, Region: west, Delivered: true, Holder: west, Epoch: 4, Commits: true, SinceCommit: at.Sub(start)})
		}
	}
	for _, story := range append([]func(*dr.Trace){standstill}, stories...) {
		for _, l := range lines(t, told(t, story)) {
			if l.aws == nil {
				continue
			}
			for _, m := range l.aws.CloudWatchMetrics[0].Metrics {
				written[m.Name] = m.Unit
			}
		}
	}
	require.Equal(t, documented, written)
}
