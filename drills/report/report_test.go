package report_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test ./drills/report -update and look at the difference")
	require.Equal(t, string(want), got)
}

func meta() report.Meta {
	return report.Meta{
		Scenario: "region-partition", Target: "embedded", Seed: 42,
		Started:  time.Date(2026, 11, 22, 17, 14, 0, 0, time.UTC),
		Revision: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
		Plan:     "isolate(us-east-1)",
		Model:    "promotion uniform 2-5 s",
		Settings: map[string]string{"timeout": "2s"},
		Expect:   measure.Expect{Behaviour: measure.MustFailOver, MaxDataLoss: time.Second, PartitionWindow: 6 * time.Second},
	}
}

// partition is a run in which 14 of the old writer's last writes are lost.
func partition() measure.Run {
	const tick = 100 * time.Millisecond
	s := time.Second
	run := measure.Run{
		OldWriter: "us-east-1", NewWriter: "us-west-2", Faulted: "us-east-1",
		Objectives: dr.Objectives{RTO: 60 * s, RPO: s, OwnShare: 20 * s},
		Interval:   tick, Horizon: 300 * s, Survivors: []int64{},
	}
	write := func(id int64, region dr.Region, at time.Duration, outcome workload.Outcome, server dr.Region, took time.Duration, text string) {
		run.Ops = append(run.Ops, workload.Op{
			ID: id, Client: string(region) + "/open-loop", Region: region, Intended: at, Start: at + time.Millisecond, End: at + took,
			Outcome: outcome, Server: server, Error: text,
		})
	}
	for i := range int64(300) {
		at := time.Duration(i) * tick
		switch {
		case at < 5*s:
			write(i, "us-east-2", at, workload.OK, "us-east-1", 30*time.Millisecond, "")
		case at < 11*s:
			write(i, "us-east-2", at, workload.Info, "", 2*s, "context deadline exceeded")
		default:
			write(i, "us-east-2", at, workload.OK, "us-west-2", 30*time.Millisecond, "")
		}
		if at < 6*s {
			write(1000+i, "us-east-1", at, workload.OK, "us-east-1", 2*time.Millisecond, "")
		} else {
			write(1000+i, "us-east-1", at, workload.Fail, "", 5*time.Millisecond, "us-east-1: server is read-only")
		}
	}
	for _, op := range run.Ops {
		if op.Outcome == workload.OK && (op.Server == "us-west-2" || op.Intended < 4800*time.Millisecond) {
			run.Survivors = append(run.Survivors, op.ID)
		}
	}
	run.Survivors = append(run.Survivors, 50)
	for _, m := range []measure.Mark{
		{At: s, Source: "drill", Name: measure.MarkSteady},
		{At: 4950 * time.Millisecond, Source: "drill", Name: measure.MarkInjected, Region: "us-east-1", Detail: "isolate(us-east-1)"},
		{At: 5100 * time.Millisecond, Source: "probe", Name: measure.MarkEffective},
		{At: 7 * s, Source: "us-west-2", Name: measure.MarkSuspected},
		{At: 8200 * time.Millisecond, Source: "us-west-2", Name: measure.MarkDecided, Detail: "epoch 2"},
		{At: 9 * s, Source: "us-west-2", Name: measure.MarkFenced, Detail: "epoch 2"},
		{At: 10500 * time.Millisecond, Source: "us-west-2", Name: measure.MarkPromoted, Region: "us-west-2", Detail: "epoch 2"},
		{At: 10600 * time.Millisecond, Source: "probe", Name: measure.MarkWritable, Region: "us-west-2"},
		{At: 10800 * time.Millisecond, Source: "us-west-2", Name: measure.MarkRedirected, Detail: "epoch 2"},
		{At: 25 * s, Source: "drill", Name: measure.MarkHealed},
	} {
		run.Marks = append(run.Marks, m)
	}
	return run
}

// saved writes a run the way a drill does and returns its folder.
func saved(t *testing.T, out string, run measure.Run) string {
	t.Helper()
	f, err := report.Create(out, meta())
	require.NoError(t, err)
	require.NoError(t, f.SaveRun(run, []any{map[string]any{"what": "fenced"}, map[string]any{"what": "opened"}}))
	r := measure.Measure(run)
	_, err = f.SaveResult(r, measure.Judge(r, meta().Expect))
	require.NoError(t, err)
	return f.Path()
}

func TestGolden(t *testing.T) {
	r := measure.Measure(partition())
	v := measure.Judge(r, meta().Expect)
	b, err := json.MarshalIndent(report.NewResult(meta(), r, v), "", "  ")
	require.NoError(t, err)
	golden(t, "partition.result.json", string(b)+"\n")
	golden(t, "partition.summary.txt", report.Summary(meta(), r, v, "drills/out/20261122T171400Z-region-partition-embedded-42"))
}

func TestFolder(t *testing.T) {
	out := filepath.Join(t.TempDir(), "drills", "out")
	dir := saved(t, out, partition())
	require.Equal(t, filepath.Join(out, "20261122T171400Z-region-partition-embedded-42"), dir)
	names := []string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	require.Equal(t, []string{"history.jsonl", "result.json", "run.json", "summary.txt", "trace.jsonl"}, names, "and no temporary file")
	trace, err := os.ReadFile(filepath.Join(dir, report.TraceFile))
	require.NoError(t, err)
	require.Equal(t, "{\"what\":\"fenced\"}\n{\"what\":\"opened\"}\n", string(trace))

	link, err := os.Readlink(filepath.Join(out, report.Latest))
	require.NoError(t, err)
	require.Equal(t, filepath.Base(dir), link, "relative, so that the folder can be moved")

	again := saved(t, out, partition())
	require.Equal(t, dir+"-2", again, "a folder is never reused")
	link, err = os.Readlink(filepath.Join(out, report.Latest))
	require.NoError(t, err)
	require.Equal(t, filepath.Base(again), link)
}

func TestSavedRunMeasuresTheSame(t *testing.T) {
	out := t.TempDir()
	run := partition()
	dir := saved(t, out, run)
	for _, name := range []string{dir, filepath.Join(out, report.Latest)} {
		s, err := report.Load(name)
		require.NoError(t, err)
		require.Equal(t, meta(), s.Meta)
		require.Equal(t, dir, s.Folder)

		r, v := s.Measure()
		want := measure.Measure(run)
		require.Equal(t, want, r)
		require.Equal(t, measure.Judge(want, meta().Expect), v)
		require.Equal(t, report.NewResult(s.Meta, r, v), *s.Result, "and what is on disk says so")
	}
}

func TestHistoryIsThereBeforeTheVerdict(t *testing.T) {
	f, err := report.Create(t.TempDir(), meta())
	require.NoError(t, err)
	require.NoError(t, f.SaveRun(partition(), nil))
	s, err := report.Load(f.Path())
	require.NoError(t, err)
	require.Nil(t, s.Result)
	r, _ := s.Measure()
	require.Equal(t, measure.Measure(partition()), r)
}

// Survivors that were not read are not the same as a table without survivors.
func TestSurvivorsThatWereNotRead(t *testing.T) {
	run := partition()
	run.Survivors = nil
	s, err := report.Load(saved(t, t.TempDir(), run))
	require.NoError(t, err)
	require.Nil(t, s.Run.Survivors)
	run.Survivors = []int64{}
	s, err = report.Load(saved(t, t.TempDir(), run))
	require.NoError(t, err)
	require.Equal(t, []int64{}, s.Run.Survivors)
}

func TestLoadSaysWhatIsBroken(t *testing.T) {
	for _, tt := range []struct {
		name string
		ruin func(t *testing.T, dir string) string // returns what to load
		want []string
	}{
		{"no such folder", func(_ *testing.T, dir string) string { return dir + "-gone" },
			[]string{"-gone", "no such file", "run a drill first"}},
		{"a file", func(_ *testing.T, dir string) string { return filepath.Join(dir, report.RunFile) },
			[]string{"run.json", "not a folder", "name the run's folder"}},
		{"no run.json", remove(report.RunFile), []string{report.RunFile, "the drill ended before it was written"}},
		{"no history", remove(report.HistoryFile), []string{report.HistoryFile, "the drill ended before it was written"}},
		{"bad run.json", replace(report.RunFile, `"seed": 42`, `"seed": forty-two`), []string{report.RunFile, "line 5", "repair it"}},
		{"wrong type", replace(report.RunFile, `"seed": 42`, `"seed": "42"`), []string{report.RunFile, "line 5", "seed"}},
		{"unknown schema", replace(report.RunFile, "lifeboat.run/v1", "lifeboat.run/v9"),
			[]string{`schema is "lifeboat.run/v9", this version reads "lifeboat.run/v1"`, "read it with the version of lifeboat that wrote it"}},
		{"unknown result schema", replace(report.ResultFile, "lifeboat.drill/v1", "boat"), []string{report.ResultFile, `schema is "boat"`}},
		{"bad history line", replace(report.HistoryFile, `{"op":{"id":7,`, `{"op":{"id":7,,`), []string{report.HistoryFile, "line 15", "invalid character ','"}},
		{"cut history line", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, report.HistoryFile)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, text[:len(text)-20], 0o644))
			return dir
		}, []string{report.HistoryFile, "line 610", "unexpected EOF"}},
		{"unknown outcome", replace(report.HistoryFile, `"outcome":"info"`, `"outcome":"perhaps"`), []string{report.HistoryFile, `has outcome "perhaps"`}},
		{"empty result", replaceAll(report.ResultFile, ""), []string{report.ResultFile, "unexpected end of JSON"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := report.Load(tt.ruin(t, saved(t, t.TempDir(), partition())))
			var broken *report.BrokenError
			require.ErrorAs(t, err, &broken)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "\n", "one clear line")
		})
	}
}

func remove(name string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
		return dir
	}
}

func replace(name, old, new string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(text), old)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o644))
		return dir
	}
}

func replaceAll(name, text string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		return dir
	}
}

func TestCreateSaysWhatIsWrong(t *testing.T) {
	_, err := report.Create(t.TempDir(), report.Meta{Scenario: "../x", Target: ""})
	for _, want := range []string{`Scenario is "../x"`, `Target is ""`, "Started is zero"} {
		require.ErrorContains(t, err, want)
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err = report.Create(filepath.Join(file, "out"), meta())
	require.ErrorContains(t, err, "choose another folder with DRILL_OUT")
}

func TestUnknownAndCappedTimes(t *testing.T) {
	run := partition()
	run.Marks = run.Marks[:2] // no effect was seen
	run.Ops = run.Ops[:200]   // and the run ended in the outage
	r := measure.Measure(run)
	v := measure.Judge(r, meta().Expect)
	got := report.NewResult(meta(), r, v)
	require.True(t, got.Capped)
	require.Nil(t, got.FirstOK)
	require.Nil(t, got.Writable)
	require.Nil(t, got.FromFault)
	require.Contains(t, report.Line(r, v, "here"), "RTO >5.000 s")
	require.Contains(t, report.Summary(meta(), r, v, "here"), "first ok after unknown")
}

// Rounded to milliseconds, the phases and the rest still sum to the RTO.
func TestMillisecondsSum(t *testing.T) {
	run := partition()
	for i := range run.Marks {
		run.Marks[i].At += time.Duration(i) * 333333 * time.Nanosecond
	}
	r := measure.Measure(run)
	got := report.NewResult(meta(), r, measure.Verdict{})
	sum := got.Unattributed
	for _, p := range got.Phases {
		sum += p.MS
	}
	require.Equal(t, *got.RTO, sum)
	require.Zero(t, got.Unattributed)
}

func TestDualWritesAreListed(t *testing.T) {
	run := partition()
	for i := range run.Ops {
		if op := &run.Ops[i]; op.Region == "us-east-1" && op.Intended >= 20*time.Second && op.Intended < 21500*time.Millisecond {
			op.Outcome, op.Server, op.Error = workload.OK, "us-east-1", ""
		}
	}
	r := measure.Measure(run)
	v := measure.Judge(r, meta().Expect)
	result := report.NewResult(meta(), r, v)
	require.Equal(t, result.Writes.DualAcknowledged, len(result.DualWrites))
	require.Len(t, result.DualWrites, 15)
	lost := map[int64]bool{}
	for _, w := range result.LostWrites {
		lost[w.ID] = true
	}
	for _, w := range result.DualWrites {
		require.Equal(t, "us-east-1", w.Server.String())
		require.NotEmpty(t, w.Client)
		require.InDelta(t, 20750, w.Acked, 760)
		require.False(t, w.Survived)
		require.True(t, lost[w.ID], "%d is lost, too", w.ID)
	}
	summary := report.Summary(meta(), r, v, "out")
	require.Contains(t, summary, "dual write")
	require.Contains(t, summary, "and 5 more in result.json")
}
