package cloudwatch

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// metric is one value, or a list of at most maxValues values, of a line.
type metric struct {
	name  string
	unit  string
	value any
}

// The units that are used.
const (
	unitCount        = "Count"
	unitMilliseconds = "Milliseconds"
	unitNone         = "None"
)

// maxValues is how many values a metric may have in one line (CloudWatch user guide,
// embedded metric format specification, target members).
const maxValues = 100

func count(name string, n int) metric { return metric{name, unitCount, n} }

func millis(name string, d time.Duration) metric {
	return metric{name, unitMilliseconds, milliseconds(d)}
}

// milliseconds is d to the microsecond, and never negative: two clocks of a Region may
// differ by more than a phase took.
func milliseconds(d time.Duration) float64 {
	return float64(max(0, d).Round(time.Microsecond)) / float64(time.Millisecond)
}

// directive is the part of a line that CloudWatch reads (CloudWatch user guide,
// embedded metric format specification).
type directive struct {
	Timestamp         int64 // milliseconds
	CloudWatchMetrics []metricDirective
}

type metricDirective struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metricName
}

type metricName struct {
	Name string
	Unit string
}

// format returns a line. One without metrics is for searching only.
func format(region dr.Region, cluster string, at time.Time, metrics []metric, fields map[string]any) ([]byte, error) {
	if len(metrics) > 0 {
		m := metricDirective{Namespace: Namespace, Dimensions: [][]string{{"Region", "GlobalCluster"}}}
		for _, x := range metrics {
			m.Metrics = append(m.Metrics, metricName{x.name, x.unit})
			fields[x.name] = x.value
		}
		fields["_aws"] = directive{at.UnixMilli(), []metricDirective{m}}
	}
	fields["Region"], fields["GlobalCluster"] = region, cluster
	line, err := json.Marshal(fields) // a map's keys come out sorted
	if err != nil {
		return nil, err
	}
	return append(line, '\n'), nil
}

// maxText is where a text is cut. Six times that, which is what escapes can make of it,
// stays far below the 256 KB that a log event may have.
const maxText = 4 << 10

// clip cuts a text that comes from elsewhere, such as a server's answer.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > maxText-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
