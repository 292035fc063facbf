package tf_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

const testBucket = "lifeboat-x-state-us-east-1"

// bucketed is the estate with its states in S3 and a unit that creates the bucket.
func bucketed(t *testing.T, s *bucketStore) tf.Options {
	t.Helper()
	dir, units := estate(t)
	units = append([]infra.Unit{stateUnit}, units...)
	write(t, dir+"/state/main.tf", "resource \"terraform_data\" \"bucket\" {\n  input = \""+testBucket+"\"\n}\noutput \"buckets\" {\n  value = { us-east-1 = terraform_data.bucket.output }\n}\n")
	for _, u := range units {
		write(t, filepath.Join(dir, u.Name, "versions.tf"), `
terraform {
  backend "s3" {
    bucket       = "`+testBucket+`"
    key          = "`+u.Name+`.tfstate"
    region       = "us-east-1"
    use_lockfile = true

    endpoints                   = { s3 = "`+s.URL+`" }
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_s3_checksum            = true
  }
}
`)
	}
	return tf.Options{
		Dir: dir, Units: units, Binary: find(t),
		Environ: environ("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY="+secret),
	}
}

func TestBootstrapMovesTheStateIntoTheBucketThatItCreates(t *testing.T) {
	t.Parallel()
	s := newBucketStore(t)
	o := bucketed(t, s)
	o.Units = o.Units[:2]
	d := open(t, o)
	plans, err := d.PlanAll(t.Context())
	require.NoError(t, err)
	require.True(t, plans[0].Plan.Changes, "planned with its state in a file")
	require.Equal(t, []string{"state"}, plans[1].Waits)

	_, err = open(t, o).Plan(t.Context(), "global")
	var waits *tf.WaitsError
	require.ErrorAs(t, err, &waits)
	require.ErrorContains(t, err, "waits for the buckets of state")

	// The buckets come into being while the unit is applied: here, by hand and too late.
	err = open(t, o).ApplyAll(t.Context())
	require.Error(t, err, "the state can't be moved yet")
	require.Contains(t, read(t, o.Dir+"/state/terraform.tfstate"), testBucket)
	require.NoFileExists(t, o.Dir+"/state/backend_override.tf")

	s.create(testBucket) // as if the run had crashed between apply and move
	require.NoError(t, open(t, o).ApplyAll(t.Context()))
	require.Contains(t, s.object(testBucket, "state.tfstate"), testBucket)
	require.Contains(t, s.object(testBucket, "global.tfstate"), `"cluster"`)
	require.NoFileExists(t, o.Dir+"/state/.lifeboat/bootstrap")
	require.NoFileExists(t, o.Dir+"/global/terraform.tfstate")

	plans, err = open(t, o).PlanAll(t.Context())
	require.NoError(t, err)
	for _, p := range plans {
		require.False(t, p.Plan.Changes, p.Unit)
	}

	// Destroyed, the buckets stay, with the history of every state…
	require.NoError(t, open(t, o).DestroyAll(t.Context(), tf.DestroyOptions{}))
	require.Contains(t, s.object(testBucket, "state.tfstate"), `"bucket"`)
	require.NotContains(t, s.object(testBucket, "global.tfstate"), `"cluster"`)
	// …unless they are to go too: then their state comes out first.
	require.NoError(t, open(t, o).DestroyAll(t.Context(), tf.DestroyOptions{Buckets: true}))
	require.NotContains(t, read(t, o.Dir+"/state/terraform.tfstate"), testBucket)
}

func TestLockFileInS3(t *testing.T) {
	t.Parallel()
	s := newBucketStore(t)
	o := bucketed(t, s)
	s.create(testBucket)
	o.Units = o.Units[1:2]
	d := open(t, o)
	s.put(testBucket, "global.tfstate.tflock", `{"ID":"f3a1c5de-0000-4000-8000-000000000001","Operation":"OperationTypeApply","Who":"ada@laptop","Version":"1.11.4","Created":"2026-11-22T21:43:12.5Z","Path":"x"}`)
	_, err := d.Plan(t.Context(), "global")
	var locked *tf.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, "f3a1c5de-0000-4000-8000-000000000001", locked.ID)
	require.Equal(t, "ada@laptop", locked.Who)
	require.Equal(t, 2026, locked.Created.Year())

	s.put(testBucket, "global.tfstate.tflock", "")
	s.denyWrites(".tflock") // a missing permission is no lock that is held
	_, err = d.Plan(t.Context(), "global")
	var told *tf.DiagnosticsError
	require.ErrorAs(t, err, &told)
	require.ErrorContains(t, err, "AccessDenied")
}

func TestStateThatCannotBeWrittenIsNotLost(t *testing.T) {
	t.Parallel()
	s := newBucketStore(t)
	o := bucketed(t, s)
	s.create(testBucket)
	o.Units = o.Units[1:2]
	d := open(t, o)
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	s.denyWrites(".tfstate")
	err = d.Apply(t.Context(), p)
	var unwritten *tf.StateNotWrittenError
	require.ErrorAs(t, err, &unwritten)
	require.Equal(t, "errored.tfstate", unwritten.File)
	require.NotContains(t, err.Error(), secret)
	require.Contains(t, read(t, o.Dir+"/global/errored.tfstate"), `"cluster"`)
	s.denyWrites("")
	_, err = d.Plan(t.Context(), "global")
	require.ErrorAs(t, err, &unwritten, "it would create the cluster again")
}

func TestLocalStateIsNotMixedWithS3(t *testing.T) {
	t.Parallel()
	s := newBucketStore(t)
	o := bucketed(t, s)
	o.Units = o.Units[1:2]
	o.LocalState = true
	require.NoError(t, open(t, o).ApplyAll(t.Context()))
	require.FileExists(t, o.Dir+"/global/terraform.tfstate")
	o.LocalState = false
	_, err := open(t, o).Plan(t.Context(), "global")
	require.ErrorContains(t, err, "from a run with LocalState")
	require.NoError(t, os.Remove(o.Dir+"/global/backend_override.tf"))
}
