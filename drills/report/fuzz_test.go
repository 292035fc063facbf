package report_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
)

// FuzzLoad damages one file of a saved run: it loads and can be measured, or the error
// names the file.
func FuzzLoad(f *testing.F) {
	files := []string{report.RunFile, report.HistoryFile, report.ResultFile}
	folder, err := report.Create(f.TempDir(), meta())
	require.NoError(f, err)
	require.NoError(f, folder.SaveRun(measure.Run{}, nil))
	good := map[string][]byte{}
	for i, name := range files {
		if good[name], err = os.ReadFile(filepath.Join(folder.Path(), name)); err != nil {
			good[name] = []byte(`{"schema":"` + report.ResultSchema + `"}`)
		}
		f.Add(uint8(i), good[name])
		f.Add(uint8(i), []byte(`null`))
		f.Add(uint8(i), []byte(`{"schema":"`+report.RunSchema+`","seed":-1,"phases":{}}`))
	}
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		dir, name := t.TempDir(), files[int(which)%len(files)]
		for file, content := range good {
			if file == name {
				content = text
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, file), content, 0o600))
		}
		if r, err := report.LoadResult(dir); err == nil {
			sums, err := report.Sum([]report.Result{r}, report.Plan{})
			require.NoError(t, err)
			require.Len(t, sums, 1)
			require.NotContains(t, sums[0].Target+sums[0].Rows[0].Scenario, "<", "what becomes Markdown is a plain name")
			require.Contains(t, sums[0].Markdown(), "\n| `"+r.Scenario+"` | 1 | ")
		}
		saved, err := report.Load(dir)
		if err != nil {
			var broken *report.BrokenError
			require.True(t, errors.As(err, &broken), "%v", err)
			require.Equal(t, name, broken.File)
			require.NotEmpty(t, broken.Hint)
			return
		}
		saved.Measure() // must not panic
	})
}
