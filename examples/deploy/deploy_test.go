package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/tftest"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// said is what one run of the program printed.
type said struct {
	status   int
	out, err string
}

// do runs the program; answers are what a person types; "" runs it without a terminal.
func do(t *testing.T, answers string, args ...string) said {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(context.Background(), args, console{
		in: bufio.NewReader(strings.NewReader(answers)), out: &out, err: &errs, interactive: answers != "",
	})
	return said{status, out.String(), errs.String()}
}

func config(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lifeboat.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

const least = "environment_suffix: demo\n"

func TestRendersAndStops(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tf")
	got := do(t, "", "-config", "default.yaml", "-out", dir)
	require.Equal(t, exitDone, got.status, got.err)
	require.Contains(t, got.out, "rendered 6 units of lifeboat-example")
	require.FileExists(t, filepath.Join(dir, "region-us-west-2", "main.tf"))
	require.FileExists(t, filepath.Join(dir, "modules", "network", "README.md"))
	require.NoDirExists(t, filepath.Join(dir, "global", ".terraform"), "nothing was run")
}

func TestRefusals(t *testing.T) {
	good := config(t, least)
	for name, c := range map[string]struct {
		args   []string
		status int
		want   []string
	}{
		"no config":             {nil, exitNotBegun, []string{"-config is missing"}},
		"no such file":          {[]string{"-config", "nowhere.yaml"}, exitNotBegun, []string{"nowhere.yaml"}},
		"two verbs":             {[]string{"-config", good, "-plan", "-apply"}, exitNotBegun, []string{"exclude each other"}},
		"an argument":           {[]string{"-config", good, "extra"}, exitNotBegun, []string{`unexpected argument "extra"`}},
		"a misspelt key":        {[]string{"-config", config(t, least+"aws_regoin: us-east-1\n")}, exitNotBegun, []string{"lifeboat.yaml:2:", "aws_region"}},
		"everything at once":    {[]string{"-config", config(t, "aws_region: us-west-2\nthresholds: {cpu_percent: 140}\n")}, exitNotBegun, []string{"environment_suffix", "second_region", "cpu_percent"}},
		"apply unconfirmed":     {[]string{"-config", good, "-apply"}, exitNotBegun, []string{"no account id is confirmed"}},
		"apply half confirmed":  {[]string{"-config", config(t, least+"account_id: \"123456789012\"\n"), "-apply"}, exitNotBegun, []string{"give it again with -account"}},
		"apply to another":      {[]string{"-config", config(t, least+"account_id: \"123456789012\"\n"), "-apply", "-account", "210987654321"}, exitNotBegun, []string{"differ", "nothing was touched"}},
		"destroy unconfirmed":   {[]string{"-config", good, "-destroy"}, exitNotBegun, []string{"no account id is confirmed"}},
		"an unknown unit":       {[]string{"-config", good, "-plan", "-unit", "region-eu-west-1"}, exitNotBegun, []string{`no unit "region-eu-west-1"`}},
		"no terraform":          {[]string{"-config", good, "-plan", "-terraform", "/nowhere/terraform"}, exitNotBegun, []string{"no terraform found", "/nowhere/terraform"}},
		"no packages":           {[]string{"-config", good, "-apply", "-account", "123456789012"}, exitNotBegun, []string{"nothing was applied", "packages are missing from dist"}},
		"buckets without a use": {[]string{"-config", good, "-plan", "-buckets"}, exitNotBegun, []string{"-buckets has no effect here: it belongs to -destroy"}},
		"one unit's buckets":    {[]string{"-config", good, "-destroy", "-unit", "global", "-buckets"}, exitNotBegun, []string{"-buckets has no effect here"}},
		"a unit without a verb": {[]string{"-config", good, "-unit", "global", "-yes", "-local-state"}, exitNotBegun, []string{"-unit has no effect here: it needs -plan", "-yes has no effect", "-local-state has no effect"}},
		"plan of another":       {[]string{"-config", config(t, least+"account_id: \"123456789012\"\n"), "-plan", "-account", "210987654321"}, exitNotBegun, []string{"differ", "nothing was touched"}},
		"a writer elsewhere":    {[]string{"-config", good, "-destroy", "-writer", "eu-west-1"}, exitNotBegun, []string{"-writer eu-west-1 is no member", "us-west-2"}},
		"no terminal":           {[]string{"-config", good, "-destroy", "-account", "123456789012"}, exitNotBegun, []string{"no terminal", "-yes"}},
		"a folder":              {[]string{"-config", "."}, exitNotBegun, []string{"is a folder"}},
		"an empty file":         {[]string{"-config", config(t, "")}, exitNotBegun, []string{"is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := do(t, "", append(c.args, "-out", t.TempDir())...)
			require.Equal(t, c.status, got.status)
			for _, w := range c.want {
				require.Contains(t, got.err, w)
			}
		})
	}
}

func TestHelpHelps(t *testing.T) {
	got := do(t, "", "-h")
	require.Equal(t, exitDone, got.status)
	for _, w := range []string{"-config", "-out", "-plan", "-apply", "-destroy", "-account", "while the other is dark"} {
		require.Contains(t, got.err, w)
	}
}

func TestOutThatIsNoFolder(t *testing.T) {
	file := config(t, least)
	got := do(t, "", "-config", file, "-out", file)
	require.Equal(t, exitNotBegun, got.status)
	require.Contains(t, got.err, file)
	require.Contains(t, got.err, "name a folder")
	require.Contains(t, do(t, "", "-config", file, "-out", "").err, "-out is empty")
	got = do(t, "", "-config", file, "-plan", "-apply", "-destroy")
	require.Equal(t, 1, strings.Count(got.err, "exclude each other"), got.err)
}

// A suffix that changed would mix two deployments in a folder, and Terraform would see
// new names as a request to replace everything.
func TestAnotherDeploymentsFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	require.Equal(t, exitDone, do(t, "", "-config", config(t, least), "-out", dir).status)
	before, err := os.ReadFile(filepath.Join(dir, "global", "terraform.tfvars"))
	require.NoError(t, err)
	got := do(t, "", "-config", config(t, "environment_suffix: other\n"), "-out", dir)
	require.Equal(t, exitNotBegun, got.status)
	require.Contains(t, got.err, `holds "lifeboat-demo", and the config describes "lifeboat-other"`)
	after, err := os.ReadFile(filepath.Join(dir, "global", "terraform.tfvars"))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

// A witness that was taken out of the config still runs, on keys and roles that the
// next apply of the unit global would take away.
func TestAUnitThatIsLeftOverIsSaidAndStopsAnApply(t *testing.T) {
	dir := t.TempDir()
	require.Equal(t, exitDone, do(t, "", "-config", config(t, least), "-out", dir).status)
	without := config(t, least+"witness_region: none\n")
	got := do(t, "", "-config", without, "-out", dir)
	require.Equal(t, exitDone, got.status, "rendering alone harms nothing")
	require.Contains(t, got.err, "still holds witness-us-east-2")
	require.Contains(t, got.err, "-destroy -unit witness-us-east-2")
	for _, verb := range []string{"-apply", "-destroy"} {
		got = do(t, "", "-config", without, "-out", dir, verb, "-yes", "-account", "123456789012")
		require.Equal(t, exitNotBegun, got.status)
		require.Contains(t, got.err, "nothing was touched")
	}
}

// Ctrl-C at a question ends the wait for its answer.
func TestAQuestionEndsWithItsContext(t *testing.T) {
	silent, keyboard := io.Pipe()
	defer keyboard.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&tf.SignalError{Signal: os.Interrupt})
	d := deployment{console: console{in: bufio.NewReader(silent), out: io.Discard, err: io.Discard, interactive: true}, screen: &screen{w: io.Discard}}
	err := d.approve(ctx, &tf.Plan{Unit: "global", Changes: true, JSON: &tfjson.Plan{}})
	require.ErrorContains(t, err, "stopped by interrupt")
	require.ErrorContains(t, err, "nothing of this plan was applied")
}

// A person types the account, reads the plan of the first unit, and says no.
func TestNothingIsAppliedWithoutApproval(t *testing.T) {
	t.Setenv("TF_CLI_CONFIG_FILE", tftest.Provider(t))
	dir := t.TempDir()
	args := []string{"-config", config(t, least), "-out", dir, "-local-state", "-account", "123456789012", "-apply", "-unit", "state"}
	got := do(t, "n\n", args...)
	require.Equal(t, exitFailed, got.status, got.err)
	require.Contains(t, got.out, "apply this to state? [y/N]")
	require.Contains(t, got.err, "not approved")
	require.NoFileExists(t, filepath.Join(dir, "state", "terraform.tfstate"))
}

func TestPlansWhatCanBePlanned(t *testing.T) {
	t.Setenv("TF_CLI_CONFIG_FILE", tftest.Provider(t))
	got := do(t, "", "-config", config(t, least), "-out", t.TempDir(), "-local-state", "-plan")
	require.Equal(t, exitDone, got.status, got.err)
	require.Regexp(t, `(?m)^global +\d+ to add, 0 to change, 0 to replace, 0 to destroy$`, got.out)
	require.Regexp(t, `(?m)^region-us-west-2 +waits for outputs of global: apply first$`, got.out)
	require.NotContains(t, got.out+got.err, "password")
}
