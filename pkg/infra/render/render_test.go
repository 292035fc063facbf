package render_test

import (
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/render"
)

var update = flag.Bool("update", false, "rewrite terraform/stacks/default from what the code renders")

// stack is the rendering of the default config that the repository shows.
const stack = "../../../terraform/stacks/default"

func config() infra.Config { return infra.Config{EnvironmentSuffix: "demo"} }

func TestDefaultStackIsCurrent(t *testing.T) {
	files, err := render.Render(config(), render.Options{Modules: "../../../modules"})
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.RemoveAll(stack))
		require.NoError(t, files.Write(stack))
	}
	shown := map[string]bool{}
	require.NoError(t, filepath.WalkDir(stack, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(stack, path)
		require.NoError(t, err)
		rel = filepath.ToSlash(rel)
		shown[rel] = true
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(files[rel]), string(data), "%s: run go test ./pkg/infra/render -update", rel)
		return nil
	}))
	require.Equal(t, slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(shown)))
}

func TestRenderingIsRepeatable(t *testing.T) {
	c := config()
	c.DefaultTags = map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}
	c.Notifications = []string{"b@example.com", "a@example.com"}
	first, err := render.Render(c, render.Options{})
	require.NoError(t, err)
	for range 20 {
		again, err := render.Render(c, render.Options{})
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
}

func TestRenderingIsCanonical(t *testing.T) {
	files, err := render.Render(config(), render.Options{})
	require.NoError(t, err)
	for path, data := range files {
		if strings.HasSuffix(path, ".tf") || strings.HasSuffix(path, ".tfvars") {
			require.Equal(t, string(hclwrite.Format(data)), string(data), "%s", path)
			require.NotContains(t, string(data), "\n\n\n", "%s", path)
			require.NotContains(t, string(data), "\t", "%s", path)
		}
	}
}

func TestRenderReportsEveryProblemOfTheConfig(t *testing.T) {
	_, err := render.Render(infra.Config{AWSRegion: "us-west-2"}, render.Options{})
	require.ErrorContains(t, err, "environment_suffix")
	require.ErrorContains(t, err, "second_region")
}

// Units differ by what they hold, and every variable has a value or is another
// unit's outputs.
func TestEveryVariableIsDeclaredGivenAndUsed(t *testing.T) {
	c := config()
	c.AccountID = "123456789012"
	files, err := render.Render(c, render.Options{})
	require.NoError(t, err)
	for _, u := range c.Units() {
		declared := map[string]bool{}
		for _, b := range body(t, files, u.Name+"/variables.tf").Blocks {
			declared[b.Labels[0]] = true
			require.Contains(t, b.Body.Attributes, "type", "%s %s", u.Name, b.Labels[0])
			require.Contains(t, b.Body.Attributes, "description", "%s %s", u.Name, b.Labels[0])
		}
		given := map[string]bool{}
		for name := range body(t, files, u.Name+"/terraform.tfvars").Attributes {
			given[name] = true
		}
		for _, need := range u.Needs {
			given[infra.Unit{Name: need}.VarName()] = true
		}
		require.Equal(t, slices.Sorted(maps.Keys(declared)), slices.Sorted(maps.Keys(given)), u.Name)
		used := map[string]bool{}
		for _, file := range []string{"main.tf", "providers.tf", "outputs.tf"} {
			if files[u.Name+"/"+file] == nil {
				continue
			}
			diags := hclsyntax.VisitAll(body(t, files, u.Name+"/"+file), func(n hclsyntax.Node) hcl.Diagnostics {
				if e, ok := n.(*hclsyntax.ScopeTraversalExpr); ok && e.Traversal.RootName() == "var" {
					used[e.Traversal[1].(hcl.TraverseAttr).Name] = true
				}
				return nil
			})
			require.False(t, diags.HasErrors())
		}
		require.Equal(t, slices.Sorted(maps.Keys(declared)), slices.Sorted(maps.Keys(used)), u.Name)
	}
}

func TestWithoutWitness(t *testing.T) {
	c := config()
	c.WitnessRegion = infra.NoWitness
	files, err := render.Render(c, render.Options{})
	require.NoError(t, err)
	for path := range files {
		require.False(t, strings.HasPrefix(path, "witness"), path)
	}
	v, diags := body(t, files, "global/terraform.tfvars").Attributes["witness"].Expr.Value(nil)
	require.False(t, diags.HasErrors())
	require.True(t, v.IsNull())
}

// Fault 28 of the origin: aws_region was accepted and ignored.
func TestFault28RegionsAreNotHardCoded(t *testing.T) {
	c := infra.Config{
		EnvironmentSuffix: "demo", AWSRegion: "eu-west-1", SecondRegion: "eu-central-1", WitnessRegion: "eu-west-2",
		Network: infra.Network{CIDR: "10.8.0.0/16", SecondCIDR: "10.9.0.0/16"},
	}
	files, err := render.Render(c, render.Options{})
	require.NoError(t, err)
	for path, data := range files {
		if !strings.HasPrefix(path, "modules/") {
			for _, other := range []string{"us-east-1", "us-west-2", "us-east-2", "10.0.0.0", "10.1.0.0"} {
				require.NotContains(t, string(data), other, "%s", path)
			}
		}
	}
	require.Contains(t, files, "region-eu-central-1/main.tf")
}

// Both members are the same but for values: no block says which of them is meant.
func TestMembersDifferOnlyInValues(t *testing.T) {
	files, err := render.Render(config(), render.Options{})
	require.NoError(t, err)
	for _, file := range []string{"variables.tf", "outputs.tf"} {
		require.Equal(t, string(files["region-us-east-1/"+file]), string(files["region-us-west-2/"+file]))
	}
	swap := strings.NewReplacer("us-east-1", "us-west-2", "us-west-2", "us-east-1")
	require.Equal(t, string(files["region-us-east-1/main.tf"]), swap.Replace(string(files["region-us-west-2/main.tf"])))
}

func TestWriteLeavesOtherFilesAlone(t *testing.T) {
	dir := t.TempDir()
	files, err := render.Render(config(), render.Options{})
	require.NoError(t, err)
	require.NoError(t, files.Write(dir))
	state := filepath.Join(dir, "global", "terraform.tfstate")
	require.NoError(t, os.WriteFile(state, []byte("{}"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "global", "main.tf"), []byte("edited"), 0o644))
	require.NoError(t, files.Write(dir))
	data, err := os.ReadFile(state)
	require.NoError(t, err)
	require.Equal(t, "{}", string(data))
	data, err = os.ReadFile(filepath.Join(dir, "global", "main.tf"))
	require.NoError(t, err)
	require.Equal(t, string(files["global/main.tf"]), string(data))
}

// FuzzValuesStayText renders config values that look like HCL and reads them back.
func FuzzValuesStayText(f *testing.F) {
	for _, s := range []string{"plain", "${var.name}", "%{ if true }x%{ endif }", `a"b`, "a\\b", "é", "$${x}", "#x", "<<EOT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := config()
		c.DefaultTags = map[string]string{"k": s}
		if c.Validate() != nil {
			t.Skip("no tag value")
		}
		files, err := render.Render(c, render.Options{Modules: "m"})
		require.NoError(t, err)
		v, diags := body(t, files, "global/terraform.tfvars").Attributes["default_tags"].Expr.Value(nil)
		require.False(t, diags.HasErrors(), diags.Error())
		require.Equal(t, s, v.AsValueMap()["k"].AsString())
	})
}

func BenchmarkRenderDefault(b *testing.B) {
	for b.Loop() {
		if _, err := render.Render(config(), render.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func body(t *testing.T, files render.Files, path string) *hclsyntax.Body {
	t.Helper()
	f, diags := hclparse.NewParser().ParseHCL(files[path], path)
	require.False(t, diags.HasErrors(), "%s: %s", path, diags.Error())
	return f.Body.(*hclsyntax.Body)
}
