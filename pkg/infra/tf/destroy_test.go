package tf_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

const awsProvider = `
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}
provider "aws" {
  region = "us-east-1"
}
`

// clusters is a deployment of a global cluster and two members, for the stand-in.
func clusters(t *testing.T) tf.Options {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/global/main.tf", awsProvider+`
resource "aws_rds_global_cluster" "this" {
  global_cluster_identifier = "lifeboat-x"
  engine                    = "aurora-mysql"
  deletion_protection       = true
}
output "id" {
  value = aws_rds_global_cluster.this.global_cluster_identifier
}
`)
	for _, u := range []infra.Unit{east, west} {
		write(t, filepath.Join(dir, u.Name, "main.tf"), awsProvider+`
variable "global" {
  type = object({ id = string })
}
resource "aws_rds_cluster" "this" {
  cluster_identifier        = "lifeboat-x-`+u.Region.String()+`"
  engine                    = "aurora-mysql"
  global_cluster_identifier = var.global.id
  deletion_protection       = true
}
`)
	}
	return tf.Options{Dir: dir, Units: []infra.Unit{global, east, west}, Binary: find(t), LocalState: true, Environ: offline(t)}
}

// edit changes a unit's configuration.
func edit(t *testing.T, o tf.Options, u infra.Unit, from, to string) {
	t.Helper()
	path := filepath.Join(o.Dir, u.Name, "main.tf")
	text := read(t, path)
	require.Contains(t, text, from)
	write(t, path, strings.ReplaceAll(text, from, to))
}

func TestDestroyRespectsDeletionProtection(t *testing.T) {
	t.Parallel()
	o := clusters(t)
	seen := &events{}
	o.Progress = seen.Event
	d := open(t, o)
	require.NoError(t, d.ApplyAll(t.Context()))
	edit(t, o, west, "deletion_protection       = true", "deletion_protection       = false")
	require.NoError(t, d.ApplyAll(t.Context()), "how a destroy is prepared")

	err := d.DestroyAll(t.Context(), tf.DestroyOptions{Current: "us-west-2"})
	var protected *tf.ProtectedError
	require.ErrorAs(t, err, &protected)
	require.ElementsMatch(t, []tf.Protected{
		{Unit: "region-us-east-1", Address: "aws_rds_cluster.this", Attribute: "deletion_protection"},
		{Unit: "global", Address: "aws_rds_global_cluster.this", Attribute: "deletion_protection"},
	}, protected.Resources)
	require.ErrorContains(t, err, "set database.deletion_protection to false")
	require.Contains(t, read(t, o.Dir+"/region-us-west-2/terraform.tfstate"), "aws_rds_cluster", "nothing was touched, not even what could be")
	require.NotContains(t, seen.String(), "Action:delete")
	require.ErrorAs(t, d.Destroy(t.Context(), "global"), &protected, "one unit by itself, too")
	p, err := d.PlanDestroy(t.Context(), "global")
	require.NoError(t, err)
	require.ErrorAs(t, d.Apply(t.Context(), p), &protected, "and its plan")

	edit(t, o, east, "deletion_protection       = true", "deletion_protection       = false")
	edit(t, o, global, "deletion_protection       = true", "deletion_protection       = false")
	require.NoError(t, d.ApplyAll(t.Context()))

	// A first attempt that stops halfway goes on where it stopped.
	write(t, o.Dir+"/region-us-west-2/broken.tf", "resource {\n")
	again := open(t, o)
	err = again.DestroyAll(t.Context(), tf.DestroyOptions{Current: "us-west-2"})
	var unit *tf.UnitError
	require.ErrorAs(t, err, &unit)
	require.NoError(t, os.Remove(o.Dir+"/region-us-west-2/broken.tf"))
	require.NoError(t, again.DestroyAll(t.Context(), tf.DestroyOptions{Current: "us-west-2"}))
	order := regexp.MustCompile(`(?m)^(\S+) UnitStarted {Op:destroy}`).FindAllStringSubmatch(seen.String(), -1)
	require.Len(t, order, 3)
	require.Equal(t, []string{"region-us-east-1", "region-us-west-2", "global"}, []string{order[0][1], order[1][1], order[2][1]}, "the writer's Region after the other")
	require.NoFileExists(t, o.Dir+"/region-us-east-1/global.auto.tfvars.json", "values of what is gone")
	require.NoError(t, again.DestroyAll(t.Context(), tf.DestroyOptions{}), "twice is once")
}

func TestPlanThatDestroysAClusterIsRefused(t *testing.T) {
	t.Parallel()
	o := clusters(t)
	d := open(t, o)
	require.NoError(t, d.ApplyAll(t.Context()))
	edit(t, o, east, `resource "aws_rds_cluster" "this"`, `resource "aws_rds_cluster" "renamed"`)

	plans, err := d.PlanAll(t.Context())
	var refused *tf.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, []tf.Refusal{{Address: "aws_rds_cluster.this", Type: "aws_rds_cluster", Action: "delete", Reason: "a member of the global database and its data are lost"}}, refused.Refusals)
	require.ErrorContains(t, err, "-allow-destroy='region-us-east-1/aws_rds_cluster.this'")
	require.NoError(t, plans[2].Err)

	before := read(t, o.Dir+"/region-us-east-1/terraform.tfstate")
	require.ErrorAs(t, d.Apply(t.Context(), plans[1].Plan), &refused, "no plan gets past the check")
	err = d.ApplyAll(t.Context())
	var unit *tf.UnitError
	require.ErrorAs(t, err, &unit)
	require.Equal(t, "region-us-east-1", unit.Unit)
	require.Equal(t, before, read(t, o.Dir+"/region-us-east-1/terraform.tfstate"))

	o.Allow = []string{"region-us-west-2/aws_rds_cluster.this"} // the same address elsewhere
	require.ErrorAs(t, open(t, o).ApplyAll(t.Context()), &refused)
	o.Allow = []string{"region-us-east-1/aws_rds_cluster.this"}
	require.NoError(t, open(t, o).ApplyAll(t.Context()))
}
