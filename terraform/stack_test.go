package terraform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/tftest"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/render"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// deployment is a deployment that was applied against the stand-in provider, with
// what terraform says of it.
type deployment struct {
	config    infra.Config
	dir       string
	tf        *tf.Deployment
	shown     bytes.Buffer // what a person saw of it
	planning  sync.Once
	planned   []*tf.Plan
	resources []resource
}

// resource is one resource of a state, with every value known.
type resource struct {
	Unit, Address, Module, Type, Name string
	Values                            map[string]any
}

// at follows a path such as "tracing_config.0.mode"; nil where it leads nowhere.
func (r resource) at(path string) any {
	var v any = r.Values
	for step := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// place is where the resource is written down: module folder, type and name.
func (r resource) place() string { return r.Module + "/" + r.Type + "." + r.Name }

var (
	shared     sync.Once
	sharedUp   *deployment
	sharedHome string
)

// deployed returns the default deployment, applied once for all tests that only look.
func deployed(t *testing.T) *deployment {
	t.Helper()
	tftest.Provider(t)
	shared.Do(func() {
		var err error
		sharedHome, err = os.MkdirTemp("", "lifeboat-stack-")
		require.NoError(t, err)
		sharedUp = deploy(t, defaults(), sharedHome)
	})
	require.NotNil(t, sharedUp, "the deployment failed in an earlier test")
	return sharedUp
}

// plans plans every unit of the shared deployment again, once for all tests.
func (d *deployment) plans(t *testing.T) []*tf.Plan {
	t.Helper()
	d.planning.Do(func() {
		for _, u := range d.config.Units() {
			p, err := d.tf.Plan(context.Background(), u.Name)
			require.NoError(t, err)
			d.planned = append(d.planned, p)
		}
	})
	require.Len(t, d.planned, len(d.config.Units()), "planning failed in an earlier test")
	return d.planned
}

func TestMain(m *testing.M) {
	code := m.Run()
	if sharedHome != "" {
		_ = os.RemoveAll(sharedHome)
	}
	os.Exit(code)
}

func defaults() infra.Config {
	return infra.Config{EnvironmentSuffix: "demo", AccountID: "123456789012", Notifications: []string{"oncall@example.com"}}
}

// deploy renders a config, and applies every unit in order through pkg/infra/tf.
func deploy(t *testing.T, c infra.Config, dir string) *deployment {
	t.Helper()
	d := open(t, c, dir)
	require.NoError(t, d.tf.ApplyAll(context.Background()))
	d.load(t)
	return d
}

// open renders a config into a folder and opens it, applying nothing.
func open(t *testing.T, c infra.Config, dir string, allow ...string) *deployment {
	t.Helper()
	files, err := render.Render(c, render.Options{})
	require.NoError(t, err)
	require.NoError(t, files.Write(dir))
	zips(t, c, dir)
	d := &deployment{config: c.WithDefaults(), dir: dir}
	lines := tf.NewLines(&d.shown)
	d.tf = reopen(t, c, dir, lines.Event, allow...)
	return d
}

// reopen opens what is rendered.
func reopen(t *testing.T, c infra.Config, dir string, progress func(string, tf.Event), allow ...string) *tf.Deployment {
	t.Helper()
	// Every command's arguments are written down: a secret in one is seen by all users
	// of the machine.
	script := filepath.Join(dir, "terraform.sh")
	text := fmt.Sprintf("#!/bin/sh\necho \"$@\" >> '%s'\nexec '%s' \"$@\"\n", filepath.Join(dir, "arguments.log"), tftest.Terraform(t))
	require.NoError(t, os.WriteFile(script, []byte(text), 0o755))
	binary, err := tf.Find(context.Background(), tf.FindOptions{ExecPath: script})
	require.NoError(t, err)
	d, err := tf.Open(tf.Options{
		Dir: dir, Units: c.Units(), Binary: binary, LocalState: true, Allow: allow, Progress: progress,
		Environ: append(os.Environ(), "TF_CLI_CONFIG_FILE="+tftest.Provider(t), "CHECKPOINT_DISABLE=1", "GOGC=400"),
	})
	require.NoError(t, err)
	return d
}

// zips writes stand-ins for the Lambdas' zips: terraform hashes them and the
// stand-in provider doesn't open them.
func zips(t *testing.T, c infra.Config, dir string) {
	t.Helper()
	arch := c.WithDefaults().Functions.Architecture
	for _, f := range []string{"health-monitor", "failover-trigger"} {
		path := filepath.Join(dir, "unit", filepath.FromSlash(render.PackagePath(f, arch)))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(f), 0o644))
	}
}

// load reads every unit's state.
func (d *deployment) load(t *testing.T) {
	t.Helper()
	d.resources = nil
	for _, u := range d.config.Units() {
		var state struct {
			Values struct {
				Root module `json:"root_module"`
			}
		}
		out := tftest.Must(t, filepath.Join(d.dir, u.Name), "show", "-json")
		require.NoError(t, json.Unmarshal([]byte(out), &state))
		folders := map[string]string{} // of modules, by the address of their call
		state.Values.Root.walk(func(r stateResource) {
			if r.Mode == "managed" {
				d.resources = append(d.resources, resource{u.Name, r.Address, d.folder(t, u, r.Address, folders), r.Type, r.Name, r.Values})
			}
		})
	}
	require.Greater(t, len(d.resources), 100)
}

type module struct {
	Resources []stateResource
	Children  []module `json:"child_modules"`
}

type stateResource struct {
	Address, Mode, Type, Name string
	Values                    map[string]any
}

func (m module) walk(see func(stateResource)) {
	for _, r := range m.Resources {
		see(r)
	}
	for _, c := range m.Children {
		c.walk(see)
	}
}

// folder returns the module folder, such as "state/bucket", in which the resource of an
// address is written down.
func (d *deployment) folder(t *testing.T, u infra.Unit, address string, known map[string]string) string {
	t.Helper()
	dir := filepath.Join(d.dir, u.Name)
	for rest := address; strings.HasPrefix(rest, "module."); {
		call, after, _ := strings.Cut(strings.TrimPrefix(rest, "module."), ".")
		call, _, _ = strings.Cut(call, "[")
		key := dir + " " + call
		if known[key] == "" {
			known[key] = filepath.Join(dir, source(t, dir, call))
		}
		dir, rest = known[key], after
	}
	rel, err := filepath.Rel(filepath.Join(d.dir, "modules"), dir)
	require.NoError(t, err)
	return filepath.ToSlash(rel)
}

// source returns where a module call in a folder leads to.
func source(t *testing.T, dir, call string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	require.NoError(t, err)
	for _, path := range files {
		f, diags := hclparse.NewParser().ParseHCLFile(path)
		require.False(t, diags.HasErrors(), diags.Error())
		for _, b := range f.Body.(*hclsyntax.Body).Blocks {
			if b.Type == "module" && b.Labels[0] == call {
				v, diags := b.Body.Attributes["source"].Expr.Value(nil)
				require.False(t, diags.HasErrors())
				return v.AsString()
			}
		}
	}
	require.Fail(t, "no such call", "%s in %s", call, dir)
	return ""
}

func (d *deployment) of(kind string) []resource {
	var out []resource
	for _, r := range d.resources {
		if r.Type == kind {
			out = append(out, r)
		}
	}
	return out
}

var skip = regexp.MustCompile(`#checkov:skip=(CKV2?_[A-Z]+_\d+):(.+)`)

// waivers are the excuses that stand beside resources: reason by place and rule.
func waivers(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range modules(t) {
		for _, b := range blocks(t, m) {
			if b.Type != "resource" {
				continue
			}
			data, err := os.ReadFile(b.TypeRange.Filename)
			require.NoError(t, err)
			for _, found := range skip.FindAllStringSubmatch(string(data[b.OpenBraceRange.Start.Byte:b.CloseBraceRange.End.Byte]), -1) {
				out[fmt.Sprintf("%s/%s.%s %s", m, b.Labels[0], b.Labels[1], found[1])] = strings.TrimSpace(found[2])
			}
		}
	}
	return out
}

// Every unit passes `terraform test`: from its own values and the outputs that it was
// handed it plans, with no state and no other unit at hand.
func TestUnitsPassTerraformTest(t *testing.T) {
	d := deployed(t)
	for unit, assert := range map[string]string{
		"state":             `output.buckets["us-west-2"] == "lifeboat-demo-state-us-west-2"`,
		"global":            `output.lease_table_name == "lifeboat-demo-lease"`,
		"region-us-east-1":  `output.cluster_identifier == "lifeboat-demo-us-east-1"`,
		"region-us-west-2":  `output.cluster_identifier == "lifeboat-demo-us-west-2"`,
		"witness-us-east-2": `output.function_names["health_monitor"] == "lifeboat-demo-health-monitor"`,
		"link":              `output.record_name == "db.demo.lifeboat.internal"`,
	} {
		t.Run(unit, func(t *testing.T) {
			tests := filepath.Join(d.dir, unit, "tests")
			require.NoError(t, os.MkdirAll(tests, 0o755))
			text := fmt.Sprintf("run \"plans_alone\" {\n  command = plan\n  assert {\n    condition     = %s\n    error_message = \"not what the unit is named after\"\n  }\n}\n", assert)
			require.NoError(t, os.WriteFile(filepath.Join(tests, "unit.tftest.hcl"), []byte(text), 0o644))
			defer os.RemoveAll(tests)
			r := tftest.Run(t, filepath.Join(d.dir, unit), "test", "-json")
			require.NoError(t, r.Err, "%s%s", r.Stdout, r.Stderr)
			require.Equal(t, 1, testSummary(t, r.Stdout))
		})
	}
}
