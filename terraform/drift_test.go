package terraform_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/internal/tftest"
	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// The whole deployment's life: applied, failed over without drift, planned for one
// Region while the other is dark, destroyed.
func TestDeploymentLives(t *testing.T) {
	t.Parallel()
	tftest.Provider(t)
	c := defaults()
	off := false
	c.Database.DeletionProtection = &off // or there is no end
	d := deploy(t, c, t.TempDir())

	// Fault 19: a later apply could break the replication of a pair that has moved. Which
	// Region was created first must mean nothing by then.
	t.Run("fault 19: a failover leaves no drift, whichever Region was created first", func(t *testing.T) {
		d.failover(t, "us-west-2")
		for _, u := range []string{"region-us-east-1", "region-us-west-2"} {
			rewrite(t, filepath.Join(d.dir, u, "terraform.tfvars"), `bootstrap_region( +)= "us-east-1"`, `bootstrap_region$1= "us-west-2"`)
		}
		for _, u := range d.config.Units() {
			p, err := d.tf.Plan(t.Context(), u.Name)
			require.NoError(t, err)
			unchanged(t, p)
		}
	})
	t.Run("one Region is planned and applied while the other is dark", func(t *testing.T) { d.alone(t) })
	t.Run("destroyed, the Region without the writer first", func(t *testing.T) { d.destroyed(t, c) })
}

// Fault 18 of the origin: a time in the tags changed every resource on every run.
func TestFault18APlanAfterAnApplyIsEmpty(t *testing.T) {
	for _, p := range deployed(t).plans(t) {
		unchanged(t, p)
	}
}

func unchanged(t *testing.T, p *tf.Plan) {
	t.Helper()
	for _, rc := range p.JSON.ResourceChanges {
		require.True(t, rc.Change.Actions.NoOp() || rc.Change.Actions.Read(), "%s %s: %v", p.Unit, rc.Address, rc.Change.Actions)
	}
	require.False(t, p.Changes, p.Unit)
}

// failover edits the states as a refresh would find them after the writer has moved.
func (d *deployment) failover(t *testing.T, to string) {
	t.Helper()
	arn := func(region string) string {
		return "arn:aws:rds:" + region + ":123456789012:cluster:" + d.config.Name() + "-" + region
	}
	moved := 0
	edit(t, filepath.Join(d.dir, "global", "terraform.tfstate"), func(kind string, values map[string]any) {
		if kind == "aws_rds_global_cluster" {
			var members []any
			for _, r := range d.config.Members() {
				members = append(members, map[string]any{"db_cluster_arn": arn(r.String()), "is_writer": r.String() == to})
			}
			values["global_cluster_members"] = members
			moved++
		}
	})
	for _, r := range d.config.Members() {
		edit(t, filepath.Join(d.dir, "region-"+r.String(), "terraform.tfstate"), func(kind string, values map[string]any) {
			if kind == "aws_rds_cluster" {
				values["replication_source_identifier"] = arn(to)
				if r.String() == to {
					values["replication_source_identifier"] = ""
				}
				values["global_cluster_identifier"] = d.config.Name()
				if r.String() != to {
					values["endpoint"] = "" // RDS reports it only where the writer is
				}
				values["master_username"] = "lifeboatadmin" // a member reports it wherever it was set
				values["database_name"] = "transactions"
				moved++
			}
		})
	}
	require.Equal(t, 3, moved)
}

// alone takes away everything of us-east-1, and changes us-west-2.
func (d *deployment) alone(t *testing.T) {
	t.Helper()
	dark := filepath.Join(t.TempDir(), "dark")
	require.NoError(t, os.MkdirAll(dark, 0o755))
	for _, u := range []string{"state", "global", "region-us-east-1", "link", "witness-us-east-2"} {
		require.NoError(t, os.Rename(filepath.Join(d.dir, u, "terraform.tfstate"), filepath.Join(dark, u)))
	}
	vars := filepath.Join(d.dir, "region-us-west-2", "terraform.tfvars")
	rewrite(t, vars, `cpu_percent( +)= 80`, `cpu_percent$1= 90`)
	p, err := d.tf.Plan(t.Context(), "region-us-west-2")
	require.NoError(t, err)
	require.True(t, p.Changes)
	for _, rc := range p.JSON.ResourceChanges {
		require.False(t, rc.Change.Actions.Delete(), rc.Address)
	}
	require.NoError(t, d.tf.Apply(t.Context(), p))
	for _, u := range []string{"state", "global", "region-us-east-1", "link", "witness-us-east-2"} {
		require.NoFileExists(t, filepath.Join(d.dir, u, "terraform.tfstate"), "the run asked for the state of %s", u)
		require.NoError(t, os.Rename(filepath.Join(dark, u), filepath.Join(d.dir, u, "terraform.tfstate")))
	}
	// What the unit is made of stands in its own Region.
	d.load(t)
	for _, r := range d.resources {
		if region, ok := r.at("region").(string); ok && strings.HasPrefix(r.Unit, "region-") {
			require.Equal(t, strings.TrimPrefix(r.Unit, "region-"), region, r.Address)
		}
	}
}

func (d *deployment) destroyed(t *testing.T, c infra.Config) {
	t.Helper()
	var order []string
	d.tf = reopen(t, c, d.dir, func(unit string, e tf.Event) {
		if f, ok := e.(tf.UnitFinished); ok && f.Op == tf.OpDestroy && f.Err == nil {
			order = append(order, unit)
		}
	})
	require.NoError(t, d.tf.DestroyAll(t.Context(), tf.DestroyOptions{Current: "us-west-2", Buckets: true}))
	require.Equal(t, []string{"link", "witness-us-east-2", "region-us-east-1", "region-us-west-2", "global", "state"}, order)
	for _, u := range c.Units() {
		data, err := os.ReadFile(filepath.Join(d.dir, u.Name, "terraform.tfstate"))
		require.NoError(t, err)
		var state struct{ Resources []any }
		require.NoError(t, json.Unmarshal(data, &state))
		require.Empty(t, state.Resources, u.Name)
	}
}

// edit changes the attributes of resources in a state file: that is what a refresh
// finds, because the stand-in provider reads back what the state says.
func edit(t *testing.T, path string, change func(kind string, values map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var state map[string]any
	require.NoError(t, json.Unmarshal(data, &state))
	for _, r := range state["resources"].([]any) {
		resource := r.(map[string]any)
		for _, i := range resource["instances"].([]any) {
			change(resource["type"].(string), i.(map[string]any)["attributes"].(map[string]any))
		}
	}
	state["serial"] = state["serial"].(float64) + 1
	data, err = json.Marshal(state)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

func rewrite(t *testing.T, path, pattern, with string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := regexp.MustCompile(pattern).ReplaceAllString(string(data), with)
	require.NotEqual(t, string(data), changed, "%s has no %s", path, pattern)
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
}
