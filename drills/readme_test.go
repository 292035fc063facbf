package drills_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
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
	text = front
	for _, target := range drill.Targets { // which name every scenario, too
		without, err := report.ReplaceSection(string(text), target, "")
		require.NoError(t, err)
		text = []byte(without)
	}
	for _, s := range drill.Scenarios() {
		require.Contains(t, string(text), "| `"+s.Name+"` |", "the table of game days in the README of the repository")
	}
}

// The tables of reliability are what make reliability writes: each row's numbers agree
// with one another, and the one in virtual time has every scenario of the catalogue.
func TestReadmeHasTheReliability(t *testing.T) {
	front, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	var all []string
	for _, s := range drill.Scenarios() {
		all = append(all, s.Name)
	}
	for _, target := range drill.Targets {
		t.Run(target, func(t *testing.T) {
			section, err := report.Section(string(front), target)
			require.NoError(t, err)
			if target == "docker" && strings.Contains(section, "\n| scenario, 20 runs each |") {
				return // from before there was a command; the next make reliability TARGET=docker ends it
			}
			played := reliabilityRows(t, target, section)
			if target == "embedded" {
				require.Equal(t, all, played, "play them again with make reliability")
			}
			require.Subset(t, all, played)
		})
	}
}

// reliabilityRows holds a section to its form, and returns the scenarios of its rows.
func reliabilityRows(t *testing.T, target, section string) (played []string) {
	t.Helper()
	require.Contains(t, section, "Target `"+target+"`, ")
	require.Regexp(t, `\n\n    .*make reliability RUNS=\d+.*\n\n`, section, "the command")
	for _, fact := range []string{"Versions and what is modelled", "Objectives", "Policy", "Code"} {
		require.Regexp(t, `\n- `+fact+`: .`, section)
	}
	_, table, found := strings.Cut(section, "\n"+report.ReliabilityHeader)
	require.True(t, found, "the header is not the one that make reliability writes")
	table, _, _ = strings.Cut(table, "\n\n")
	const span = `(?:–|>?\d+(?:\.\d\d)? s)`
	form := regexp.MustCompile("^\\| `([a-z0-9-]+)` \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| (\\d+\\.\\d %)" + strings.Repeat(` \| `+span, 4) + ` \| \d+ \| \d+ \|$`)
	for line := range strings.SplitSeq(table, "\n") {
		m := form.FindStringSubmatch(line)
		require.NotNil(t, m, "no row of the table: %s", line)
		var n [4]int // runs, passed, failed, inconclusive
		for i := range n {
			var err error
			n[i], err = strconv.Atoi(m[2+i])
			require.NoError(t, err)
		}
		require.Equal(t, n[0], n[1]+n[2]+n[3], line)
		require.GreaterOrEqual(t, n[0], 20, line)
		require.Equal(t, report.Percent(report.UpperBound(n[2]+n[3], n[0], report.Confidence)), m[6], line)
		played = append(played, m[1])
	}
	return played
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
