package terraform_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every metric of Lifeboat's own that alarms and dashboards read is written by its code, by
// the same name and dimensions: an alarm on a metric that no code writes never changes its
// state. The page of package cloudwatch lists the names, and its tests hold it
// to the code.
func TestAlarmsAndDashboardsReadWhatTheCodeWrites(t *testing.T) {
	page, err := os.ReadFile("../pkg/dr/cloudwatch/doc.go")
	require.NoError(t, err)
	written := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^//\t([A-Z]\w+) +(None|Count|Milliseconds)\b`).FindAllStringSubmatch(string(page), -1) {
		written[found[1]] = true
	}
	require.True(t, written["MonitorHeartbeats"] && written["WriterHere"], "the page's table is not read: %v", written)

	d := deployed(t)
	read := map[string]bool{}
	for _, f := range d.of("aws_cloudwatch_log_metric_filter") {
		written[fmt.Sprint(f.at("metric_transformation.0.name"))] = true // counted in the log
	}
	for _, a := range d.of("aws_cloudwatch_metric_alarm") {
		if a.at("namespace") == "Lifeboat" {
			dimensions, _ := a.at("dimensions").(map[string]any)
			require.Len(t, dimensions, 2, a.Address)
			require.NotNil(t, dimensions["Region"], a.Address)
			require.Equal(t, d.config.Name(), dimensions["GlobalCluster"], a.Address)
			read[fmt.Sprint(a.at("metric_name"))] = true
		}
	}
	for _, b := range d.of("aws_cloudwatch_dashboard") {
		var body struct {
			Widgets []struct{ Properties struct{ Metrics [][]string } }
		}
		require.NoError(t, json.Unmarshal([]byte(b.at("dashboard_body").(string)), &body))
		for _, w := range body.Widgets {
			for _, m := range w.Properties.Metrics {
				if m[0] == "Lifeboat" {
					require.Equal(t, []string{"Region", "GlobalCluster"}, []string{m[2], m[4]}, b.Address)
					read[m[1]] = true
				}
			}
		}
	}
	for name := range read {
		require.True(t, written[name], "no code writes %s", name)
	}
	require.Greater(t, len(read), 10)
}
