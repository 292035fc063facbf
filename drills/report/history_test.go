package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
)

func TestParseHistorySaysWhichLine(t *testing.T) {
	good := `{"mark":{"at_ns":1,"source":"drill","name":"load.steady"}}` + "\n\n"
	for name, tt := range map[string]struct{ line, want string }{
		"neither": {`{}`, `line 3: want one of "op" and "mark"`},
		"both":    {`{"op":{"id":1,"outcome":"ok"},"mark":{"name":"x"}}`, `line 3: want one of "op" and "mark"`},
		"two":     {`{"mark":{"name":"x"}}{"mark":{"name":"y"}}`, "line 3: more than one value"},
		"unknown": {`{"opp":{}}`, `line 3: json: unknown field "opp"`},
		"outcome": {`{"op":{"id":9,"outcome":"lost"}}`, `line 3: write 9 has outcome "lost"`},
		"long":    {`{"mark":{"name":"` + strings.Repeat("x", 1<<20) + `"}}`, "line 3: longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := report.ParseHistory(strings.NewReader(good + tt.line + "\n"))
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, marks, err := report.ParseHistory(strings.NewReader(good))
	require.NoError(t, err)
	require.Equal(t, []measure.Mark{{At: 1, Source: "drill", Name: measure.MarkSteady}}, marks)
}

// What parses is written in a form that parses to the same history.
func FuzzParseHistory(f *testing.F) {
	f.Add([]byte(`{"op":{"id":7,"client":"c","region":"us-east-2","intended_ns":1,"start_ns":2,"end_ns":3,"outcome":"info","error":"eof"}}`))
	f.Add([]byte(`{"mark":{"at_ns":-5,"source":"drill","name":"fault.injected","region":"us-east-1","detail":"<kill>"}}`))
	f.Add([]byte("\n{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ops, marks, err := report.ParseHistory(bytes.NewReader(text))
		if err != nil {
			return
		}
		run := measure.Run{Ops: ops, Marks: marks}
		measure.Judge(measure.Measure(run), measure.Expect{Behaviour: measure.MustFailOver}) // must not panic
		folder, err := report.Create(t.TempDir(), meta())
		require.NoError(t, err)
		require.NoError(t, folder.SaveRun(run, nil))
		written, err := os.ReadFile(filepath.Join(folder.Path(), report.HistoryFile))
		require.NoError(t, err)
		againOps, againMarks, err := report.ParseHistory(bytes.NewReader(written))
		require.NoError(t, err)
		require.ElementsMatch(t, ops, againOps)
		require.ElementsMatch(t, marks, againMarks)
	})
}
