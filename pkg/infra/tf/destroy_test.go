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

// clusters is a global cluster and a member for the stand-in, which takes its time, and
// a Region that needs them and no provider.
func clusters(t *testing.T) tf.Options {
	t.Helper()
	dir, _ := estate(t)
	write(t, dir+"/global/main.tf", awsProvider+`
resource "aws_rds_global_cluster" "this" {
  global_cluster_identifier = "lifeboat-x"
  engine                    = "aurora-mysql"
  deletion_protection       = true
}
resource "aws_rds_cluster" "this" {
  cluster_identifier        = "lifeboat-x-us-east-1"
  engine                    = "aurora-mysql"
  global_cluster_identifier = aws_rds_global_cluster.this.id
}
output "cluster_id" {
  value = aws_rds_global_cluster.this.global_cluster_identifier
}
output "key_arns" {
  value = { us-east-1 = "arn:1" }
}
`)
	return tf.Options{Dir: dir, Units: []infra.Unit{global, east}, Binary: find(t), LocalState: true, Environ: offline(t)}
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

	err := d.DestroyAll(t.Context(), tf.DestroyOptions{})
	var protected *tf.ProtectedError
	require.ErrorAs(t, err, &protected)
	require.Equal(t, []tf.Protected{{Unit: "global", Address: "aws_rds_global_cluster.this", Attribute: "deletion_protection"}}, protected.Resources)
	require.ErrorContains(t, err, "set database.deletion_protection to false")
	require.Contains(t, read(t, o.Dir+"/region-us-east-1/terraform.tfstate"), `"member"`, "nothing was touched, not even what could be")
	p, err := d.PlanDestroy(t.Context(), "global")
	require.NoError(t, err)
	require.ErrorAs(t, d.Apply(t.Context(), p), &protected, "its plan by itself, too")
	require.NotContains(t, seen.String(), "Applying {Resource:{Address:aws_rds_global_cluster.this Module: Type:aws_rds_global_cluster} Action:delete}")

	edit(t, o, global, "deletion_protection       = true", "deletion_protection       = false")
	p, err = d.Plan(t.Context(), "global")
	require.NoError(t, err)
	require.NoError(t, d.Apply(t.Context(), p), "the way that the error names")
	require.NoError(t, d.DestroyAll(t.Context(), tf.DestroyOptions{}))
	require.NotContains(t, read(t, o.Dir+"/global/terraform.tfstate"), "aws_rds_global_cluster")
}

func TestDestroyAllGoesOnInItsOrder(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	seen := &events{}
	o := tf.Options{Dir: dir, Units: units, Binary: find(t), LocalState: true, Progress: seen.Event}
	current := tf.DestroyOptions{Current: "us-west-2"} // the writer has moved: its Region goes after the other
	require.NoError(t, open(t, o).ApplyAll(t.Context()))
	stuck := dir + "/region-us-west-2/stuck.tf"
	write(t, stuck, "resource \"terraform_data\" \"member2\" {}\nmoved {\n  from = terraform_data.member\n  to   = terraform_data.member2\n}\n")
	err := open(t, o).DestroyAll(t.Context(), current)
	var unit *tf.UnitError
	require.ErrorAs(t, err, &unit)
	require.Equal(t, "region-us-west-2", unit.Unit)
	require.Equal(t, []string{"link", "region-us-east-1"}, unit.Done)
	require.Equal(t, []string{"global"}, unit.Left)

	require.NoError(t, os.Remove(stuck))
	require.NoError(t, open(t, o).DestroyAll(t.Context(), current))
	var order []string
	for _, m := range regexp.MustCompile(`(?m)^(\S+) UnitStarted {Op:destroy}`).FindAllStringSubmatch(seen.String(), -1) {
		order = append(order, m[1])
	}
	require.Equal(t, []string{"link", "region-us-east-1", "region-us-west-2", "global"}, order, "each once")
	require.NoFileExists(t, dir+"/region-us-east-1/global.auto.tfvars.json", "values of what is gone")
	require.NoError(t, open(t, o).DestroyAll(t.Context(), tf.DestroyOptions{}), "twice is once")
}

func TestPlanThatDestroysAClusterIsRefused(t *testing.T) {
	t.Parallel()
	o := clusters(t)
	d := open(t, o)
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	require.NoError(t, d.Apply(t.Context(), p))
	edit(t, o, global, `resource "aws_rds_cluster" "this"`, `resource "aws_rds_cluster" "renamed"`)

	plans, err := d.PlanAll(t.Context())
	var refused *tf.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, []tf.Refusal{{Address: "aws_rds_cluster.this", Type: "aws_rds_cluster", Action: "delete", Reason: "a member of the global database and its data are lost"}}, refused.Refusals)
	require.ErrorContains(t, err, "-allow-destroy='global/aws_rds_cluster.this'")
	require.NoError(t, plans[1].Err)
	p = plans[0].Plan

	before := read(t, o.Dir+"/global/terraform.tfstate")
	require.ErrorAs(t, d.Apply(t.Context(), p), &refused, "no plan gets past the check")
	require.Equal(t, before, read(t, o.Dir+"/global/terraform.tfstate"))
	o.Allow = []string{"region-us-east-1/aws_rds_cluster.this"} // the same address elsewhere
	require.ErrorAs(t, open(t, o).Apply(t.Context(), p), &refused)
	o.Allow = []string{"global/aws_rds_cluster.this"}
	require.NoError(t, open(t, o).Apply(t.Context(), p))
}
