package drills_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
)

var update = flag.Bool("update", false, "write the catalogue into README.md")

const (
	catalogueBegins = "<!-- catalogue -->\n"
	catalogueEnds   = "<!-- end -->"
)

// must is an expectation in the words of the documentation.
func must(e measure.Expect) string {
	says := map[measure.Expectation]string{
		measure.MustFailOver: "fail over", measure.MustNotFailOver: "stay", measure.MustRefuse: "ask a person first",
		measure.MayFailOver: "stop, then fail over or ask",
	}[e.Behaviour]
	if e.MaxRTO > 0 {
		says += fmt.Sprintf(" within %.0f s", e.MaxRTO.Seconds())
	}
	if e.NoOutage {
		says += ", unseen by clients"
	}
	if e.Unfenced > 0 {
		says += "; every dual write listed"
	}
	return says
}

func catalogue() string {
	var b strings.Builder
	b.WriteString("| scenario | what happens | broken | must |\n|---|---|---|---|\n")
	for _, s := range drill.Scenarios() {
		broken := "nothing"
		if len(s.Plan) > 0 {
			broken = "`" + strings.ReplaceAll(s.Plan.String(), " + ", "` `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Name, s.Summary, broken, must(s.Expect))
	}
	return b.String()
}

func TestReadmeHasTheCatalogue(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), catalogueBegins)
	require.True(t, ok)
	table, after, ok := strings.Cut(rest, catalogueEnds)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+catalogueBegins+catalogue()+catalogueEnds+after), 0o644))
		return
	}
	require.Equal(t, catalogue(), table, "run go test ./drills -run Readme -update")

	front, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	for _, s := range drill.Scenarios() {
		require.Contains(t, string(front), "| `"+s.Name+"` |", "the table of game days in the README of the repository")
	}
}

func TestReadmeHasEveryKeyOfTheResult(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(text), "## result.json")
	require.True(t, ok)
	var keys func(reflect.Type)
	keys = func(r reflect.Type) {
		for r.Kind() == reflect.Slice || r.Kind() == reflect.Pointer {
			r = r.Elem()
		}
		if r.Kind() != reflect.Struct {
			return
		}
		for f := range r.Fields() {
			if key, tagged := f.Tag.Lookup("json"); tagged {
				require.Contains(t, section, "`"+key+"`")
				keys(f.Type)
			}
		}
	}
	keys(reflect.TypeFor[report.Result]())
}
