package terraform_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the tables in the modules' README files")

const begin, end = "<!-- BEGIN_TF_DOCS -->", "<!-- END_TF_DOCS -->"

// Every module's README lists its inputs and outputs, from the code.
func TestReadmeTablesAreCurrent(t *testing.T) {
	for _, m := range modules(t) {
		t.Run(m, func(t *testing.T) {
			path := filepath.Join("modules", m, "README.md")
			data, err := os.ReadFile(path)
			require.NoError(t, err, "a module has a README")
			before, rest, ok := strings.Cut(string(data), begin)
			require.True(t, ok, "%s lacks %s", path, begin)
			_, after, ok := strings.Cut(rest, end)
			require.True(t, ok, "%s lacks %s", path, end)
			want := before + begin + "\n" + tables(t, m) + end + after
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
				return
			}
			require.Equal(t, want, string(data), "run go test ./terraform -update")
		})
	}
}

func tables(t *testing.T, module string) string {
	t.Helper()
	var s strings.Builder
	s.WriteString("| input | type | default | what |\n|---|---|---|---|\n")
	for _, b := range named(t, module, "variable") {
		def := "required"
		if a := b.Body.Attributes["default"]; a != nil {
			def = "`" + oneLine(text(t, module, a.Expr)) + "`"
		}
		fmt.Fprintf(&s, "| `%s` | `%s` | %s | %s |\n", b.Labels[0], oneLine(text(t, module, b.Body.Attributes["type"].Expr)), def, description(t, b))
	}
	s.WriteString("\n| output | what |\n|---|---|\n")
	for _, b := range named(t, module, "output") {
		fmt.Fprintf(&s, "| `%s` | %s |\n", b.Labels[0], description(t, b))
	}
	return s.String()
}

func named(t *testing.T, module, kind string) []*hclsyntax.Block {
	t.Helper()
	var out []*hclsyntax.Block
	for _, b := range blocks(t, module) {
		if b.Type == kind {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b *hclsyntax.Block) int { return strings.Compare(a.Labels[0], b.Labels[0]) })
	return out
}

func description(t *testing.T, b *hclsyntax.Block) string {
	t.Helper()
	a := b.Body.Attributes["description"]
	require.NotNil(t, a, "%s %s has no description", b.Type, b.Labels[0])
	v, diags := a.Expr.Value(nil)
	require.False(t, diags.HasErrors(), diags.Error())
	require.NotEmpty(t, v.AsString())
	return strings.ReplaceAll(oneLine(v.AsString()), "|", "\\|")
}

// text returns an expression as it is written.
func text(t *testing.T, module string, e hclsyntax.Expression) string {
	t.Helper()
	r := e.Range()
	data, err := os.ReadFile(r.Filename)
	require.NoError(t, err, module)
	return string(data[r.Start.Byte:r.End.Byte])
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
