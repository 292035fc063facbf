package terraform_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/tftest"
	"github.com/lifeboat-dr/lifeboat/terraform"
)

// modules lists the folders that are modules, such as "database/global".
func modules(t *testing.T) []string {
	t.Helper()
	var out []string
	require.NoError(t, fs.WalkDir(terraform.Modules, "modules", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "versions.tf" {
			out = append(out, strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "modules/"))
		}
		return err
	}))
	require.GreaterOrEqual(t, len(out), 10, "the modules of the design, with access and database/global")
	return out
}

// blocks parses a module and returns its top-level blocks.
func blocks(t *testing.T, module string) []*hclsyntax.Block {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("modules", module, "*.tf"))
	require.NoError(t, err)
	var out []*hclsyntax.Block
	for _, path := range files {
		f, diags := hclparse.NewParser().ParseHCLFile(path)
		require.False(t, diags.HasErrors(), diags.Error())
		out = append(out, f.Body.(*hclsyntax.Body).Blocks...)
	}
	return out
}

var copyOnce sync.Mutex

// moduleCopy copies all modules, so that terraform leaves nothing in the tree, and
// returns the folder of one.
func moduleCopy(t *testing.T, module string) string {
	t.Helper()
	copyOnce.Lock()
	defer copyOnce.Unlock()
	dir := t.TempDir()
	tftest.Write(t, terraform.Modules, dir)
	return filepath.Join(dir, "modules", filepath.FromSlash(module))
}

func TestModulesAreFormatted(t *testing.T) {
	tftest.Provider(t)
	r := tftest.Run(t, ".", "fmt", "-check", "-diff", "-recursive", ".")
	require.NoError(t, r.Err, "%s%s", r.Stdout, r.Stderr)
}

// Each module is valid against the provider's schema, and its own tests pass.
func TestModules(t *testing.T) {
	t.Parallel()
	tftest.Provider(t)
	for _, m := range modules(t) {
		t.Run(m, func(t *testing.T) {
			t.Parallel()
			dir := moduleCopy(t, m)
			provide(t, dir)
			tftest.Must(t, dir, "init", "-backend=false", "-input=false")
			valid := tftest.Must(t, dir, "validate", "-json")
			var v struct {
				Valid        bool
				WarningCount int `json:"warning_count"`
			}
			require.NoError(t, json.Unmarshal([]byte(valid), &v))
			require.True(t, v.Valid)
			require.Zero(t, v.WarningCount, "%s", valid)

			r := tftest.Run(t, dir, "test", "-json")
			passed := testSummary(t, r.Stdout)
			require.NoError(t, r.Err, "%s%s", r.Stdout, r.Stderr)
			require.GreaterOrEqual(t, passed, 3, "a module has tests of its own")
		})
	}
}

var aliases = regexp.MustCompile(`configuration_aliases\s*=\s*\[([^]]*)\]`)

// provide writes the providers that a module expects from its caller: without a caller
// terraform can't validate it.
func provide(t *testing.T, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "versions.tf"))
	require.NoError(t, err)
	found := aliases.FindStringSubmatch(string(data))
	if found == nil {
		return
	}
	var text strings.Builder
	for alias := range strings.SplitSeq(found[1], ",") {
		fmt.Fprintf(&text, "provider \"aws\" {\n  alias  = %q\n  region = \"us-east-1\"\n}\n", strings.TrimPrefix(strings.TrimSpace(alias), "aws."))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "caller.tf"), []byte(text.String()), 0o644))
}

// testSummary returns how many runs passed; terraform test succeeds with none.
func testSummary(t *testing.T, stream string) int {
	t.Helper()
	for line := range strings.Lines(stream) {
		var m struct {
			Type    string
			Summary struct{ Passed, Failed, Errored int } `json:"test_summary"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &m), line)
		if m.Type == "test_summary" {
			return m.Summary.Passed
		}
	}
	require.Fail(t, "terraform test gave no summary", stream)
	return 0
}

// The standard structure, every declaration documented, no provider in a module.
func TestModuleStructure(t *testing.T) {
	for _, m := range modules(t) {
		t.Run(m, func(t *testing.T) {
			for _, file := range []string{"variables.tf", "outputs.tf", "versions.tf", "README.md"} {
				require.FileExists(t, filepath.Join("modules", m, file))
			}
			tests, err := filepath.Glob(filepath.Join("modules", m, "tests", "*.tftest.hcl"))
			require.NoError(t, err)
			require.NotEmpty(t, tests)
			used := references(t, m)
			for _, b := range blocks(t, m) {
				for _, label := range b.Labels {
					require.Regexp(t, `^[a-z][a-z0-9_]*$`, label, "terraform_naming_convention")
				}
				switch b.Type {
				case "terraform":
					require.Contains(t, b.Body.Attributes, "required_version")
					require.Equal(t, "required_providers", b.Body.Blocks[0].Type)
				case "module":
					v, diags := b.Body.Attributes["source"].Expr.Value(nil)
					require.False(t, diags.HasErrors())
					require.True(t, strings.HasPrefix(v.AsString(), "./"), "a module calls only what lies in it: %s", v.AsString())
				case "provider":
					require.Fail(t, "a module configures no provider")
				case "variable":
					require.Contains(t, b.Body.Attributes, "type", b.Labels[0])
					require.Contains(t, b.Body.Attributes, "description", b.Labels[0])
					require.Contains(t, used, "var."+b.Labels[0], "declared and not used")
				case "output":
					require.Contains(t, b.Body.Attributes, "description", b.Labels[0])
				case "data":
					require.Contains(t, used, "data."+b.Labels[0], "declared and not used")
				case "locals":
					for name := range b.Body.Attributes {
						require.Contains(t, used, "local."+name, "declared and not used")
					}
				}
			}
		})
	}
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// Written as today's Terraform is: no "${var.x}" around nothing else, no attribute of a
// list by a dot and a number, comments with #.
func TestModulesAreWrittenInCurrentTerraform(t *testing.T) {
	for _, m := range modules(t) {
		files, err := filepath.Glob(filepath.Join("modules", m, "*.tf"))
		require.NoError(t, err)
		for _, path := range files {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			for line := range strings.Lines(string(data)) {
				require.NotRegexp(t, `=\s*"\$\{[^}"]*\}"\s*$`, line, "%s: terraform_deprecated_interpolation", path)
				require.NotRegexp(t, `[a-z]\.[0-9]+(\.|$)`, quoted.ReplaceAllString(strings.Split(line, "#")[0], ""), "%s: terraform_deprecated_index", path)
				require.NotRegexp(t, `^\s*(//|/\*)`, line, "%s: terraform_comment_syntax", path)
			}
		}
	}
}

// references returns the first two steps of everything that a module refers to.
func references(t *testing.T, module string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("modules", module, "*.tf"))
	require.NoError(t, err)
	var out []string
	for _, path := range files {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, word := range strings.FieldsFunc(string(data), func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", r)
		}) {
			if parts := strings.Split(word, "."); len(parts) > 1 {
				out = append(out, parts[0]+"."+parts[1])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A throttle of the trigger locks a person out, so it pages at once and the text says of
// how many places. The alarm had waited 16 minutes since the time when only one run was
// allowed. Read from the source, because what is true of two modules needs no provider.
func TestAThrottledTriggerPagesAtOnce(t *testing.T) {
	read := func(path string) string {
		data, err := fs.ReadFile(terraform.Modules, "modules/"+path)
		require.NoError(t, err)
		return string(data)
	}
	places := regexp.MustCompile(`concurrency = what == "health_monitor" \? (\d+) : (\d+)`).FindStringSubmatch(read("failover/main.tf"))
	require.Len(t, places, 3, "module failover reserves places for both functions")
	var toDo map[string]string
	for _, b := range blocks(t, "monitoring") {
		if a, ok := b.Body.Attributes["to_do"]; ok {
			v, diags := a.Expr.Value(nil)
			require.False(t, diags.HasErrors(), diags.Error())
			toDo = map[string]string{}
			for key, text := range v.AsValueMap() {
				toDo[key] = text.AsString()
			}
		}
	}
	require.Contains(t, toDo["failover-trigger Throttles"], "All "+places[2]+" of its places")
	require.Equal(t, "2", places[1], "the text says both places")
	require.Contains(t, toDo["health-monitor Throttles"], "Both places")

	_, alarm, ok := strings.Cut(read("monitoring/functions.tf"), `resource "aws_cloudwatch_metric_alarm" "function" {`)
	require.True(t, ok)
	alarm, _, _ = strings.Cut(alarm, "\n}\n")
	require.Regexp(t, `(?m)^\s*period\s+= 60$`, alarm)
	require.Regexp(t, `(?m)^\s*evaluation_periods\s+= 1$`, alarm)
}
