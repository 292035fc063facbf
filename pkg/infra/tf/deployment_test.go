package tf_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra"
	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

func TestOpenTellsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	dir, _ := estate(t)
	_, err := tf.Open(tf.Options{
		Dir: dir, Units: []infra.Unit{link, east, {Name: "nowhere"}, east}, Allow: []string{"aws_rds_cluster.this", "unknown/a.b", "link/"}, LockTimeout: -1,
	})
	for _, want := range []string{
		"no binary", "must not be negative", "link: needs region-us-east-1, which does not come before it", "nowhere: no configuration",
		"region-us-east-1: needs global", "region-us-east-1: given twice", `allow "aws_rds_cluster.this"`, `allow "unknown/a.b"`, `allow "link/"`,
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = tf.Open(tf.Options{})
	require.ErrorContains(t, err, "no folder")
	require.ErrorContains(t, err, "no units")
}

func TestApplyAllCarriesOutputsFromUnitToUnit(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	seen := &events{}
	var asked []string
	o := tf.Options{Dir: dir, Units: units, Binary: find(t), LocalState: true, Progress: seen.Event, Approve: func(_ context.Context, p *tf.Plan) error {
		asked = append(asked, p.Unit)
		return nil
	}}
	d := open(t, o)
	plans, err := d.PlanAll(t.Context())
	require.NoError(t, err, "a unit that waits is no error")
	require.Len(t, plans, 4)
	require.True(t, plans[0].Plan.Changes)
	require.Equal(t, []string{"global"}, plans[1].Waits)
	require.Equal(t, []string{"region-us-east-1", "region-us-west-2"}, plans[3].Waits)

	require.NoError(t, d.ApplyAll(t.Context()))
	require.Equal(t, []string{"global", "region-us-east-1", "region-us-west-2", "link"}, asked)
	carried := read(t, dir+"/region-us-west-2/global.auto.tfvars.json")
	require.JSONEq(t, `{"global": {"cluster_id": "lifeboat-x", "key_arns": {"us-east-1": "arn:1", "us-west-2": "arn:2"}}}`, carried)
	require.JSONEq(t, `{"region_us_east_1": {"member": "lifeboat-x/arn:1"}}`, read(t, dir+"/link/region-us-east-1.auto.tfvars.json"))
	require.NoFileExists(t, dir+"/global/"+".lifeboat/plan", "a plan is applied once")
	require.NotContains(t, seen.String(), secret)

	// Another process, on a fresh rendering: outputs come from the states.
	require.NoError(t, os.Remove(dir+"/link/region-us-east-1.auto.tfvars.json"))
	again := open(t, o)
	plans, err = again.PlanAll(t.Context())
	require.NoError(t, err)
	for _, p := range plans {
		require.False(t, p.Plan.Changes, p.Unit)
	}
	require.NoError(t, again.ApplyAll(t.Context()))
	require.Len(t, asked, 4, "a plan without changes asks for no approval")
}

func TestUnitThatFailsHalfwayLeavesTheOthers(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	broken := dir + "/region-us-west-2/broken.tf"
	write(t, broken, "resource \"terraform_data\" \"broken\" {\n  input = terraform_data.member.id\n  provisioner \"local-exec\" {\n    command = \"exit 3\"\n  }\n}\n")
	d := open(t, tf.Options{Dir: dir, Units: units, Binary: find(t), LocalState: true})
	err := d.ApplyAll(t.Context())
	var unit *tf.UnitError
	require.ErrorAs(t, err, &unit)
	require.Equal(t, "region-us-west-2", unit.Unit)
	require.Equal(t, []string{"global", "region-us-east-1"}, unit.Done)
	require.Equal(t, []string{"link"}, unit.Left)
	var told *tf.DiagnosticsError
	require.ErrorAs(t, err, &told)
	require.Equal(t, "terraform_data.broken", told.Diagnostics[0].Address)
	require.ErrorContains(t, err, "run the same command again; it goes on at region-us-west-2")
	require.Contains(t, read(t, dir+"/region-us-west-2/terraform.tfstate"), `"member"`, "what was created is in the state")

	// Outputs of a half applied unit are not handed on.
	_, err = d.Plan(t.Context(), "link")
	var waits *tf.WaitsError
	require.ErrorAs(t, err, &waits)
	require.Equal(t, []string{"region-us-west-2"}, waits.For)

	require.NoError(t, os.Remove(broken))
	require.NoError(t, d.ApplyAll(t.Context()))
	require.Contains(t, read(t, dir+"/link/terraform.tfstate"), "lifeboat-x/arn:1 - lifeboat-x/arn:2")
}

func TestPlanAllGoesOnPastAUnitThatFails(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	d := open(t, tf.Options{Dir: dir, Units: units[:3], Binary: find(t), LocalState: true})
	require.NoError(t, d.ApplyAll(t.Context()))
	write(t, dir+"/region-us-east-1/dark.tf", "resource \"terraform_data\" \"x\" {\n  lifecycle {\n    precondition {\n      condition     = var.global.cluster_id == \"lit\"\n      error_message = \"us-east-1 is dark.\"\n    }\n  }\n}\n")
	plans, err := d.PlanAll(t.Context())
	require.ErrorContains(t, err, "us-east-1 is dark.")
	require.Error(t, plans[1].Err)
	require.NoError(t, plans[2].Err)
	require.False(t, plans[2].Plan.Changes, "from the outputs that were carried before")
}

func TestApplyTakesThatPlanAndNothingElse(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	o := tf.Options{Dir: dir, Units: units[:2], Binary: find(t), LocalState: true}
	d := open(t, o)
	require.NoError(t, d.ApplyAll(t.Context()))
	var stale *tf.StalePlanError

	change := func(text string) {
		write(t, dir+"/region-us-east-1/more.tf", "resource \"terraform_data\" \"more\" {\n  input = \""+text+"\"\n}\n")
	}
	change("one")
	_, err := d.LoadPlan(t.Context(), "region-us-east-1")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = d.Plan(t.Context(), "region-us-east-1")
	require.NoError(t, err)
	p, err := open(t, o).LoadPlan(t.Context(), "region-us-east-1") // of another process
	require.NoError(t, err)
	require.True(t, p.Changes)

	change("two")
	require.ErrorAs(t, d.Apply(t.Context(), p), &stale)
	require.ErrorContains(t, stale, "the unit's files or the outputs that it takes have changed")
	change("one")
	carried := dir + "/region-us-east-1/global.auto.tfvars.json"
	before := read(t, carried)
	write(t, carried, strings.Replace(before, "arn:1", "arn:9", 1))
	require.ErrorAs(t, d.Apply(t.Context(), p), &stale)
	write(t, carried, before)

	info, err := os.Stat(p.Path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "a saved plan holds every variable")
	saved := read(t, p.Path)
	write(t, p.Path, saved+"x")
	require.ErrorAs(t, d.Apply(t.Context(), p), &stale)
	require.ErrorContains(t, stale, "another one than was checked")
	write(t, p.Path, saved)

	require.NoError(t, d.Apply(t.Context(), p))
	require.ErrorAs(t, d.Apply(t.Context(), p), &stale, "once")
}

// Both are told by terraform in its stream only: trap 8.
func TestTrap08NoTypedErrorForAStalePlan(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	d := open(t, tf.Options{Dir: dir, Units: units[:1], Binary: find(t), LocalState: true})
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	saved, mark := read(t, p.Path), read(t, p.Path+".json")
	require.NoError(t, d.Apply(t.Context(), p))
	write(t, p.Path, saved) // another run has applied meanwhile
	write(t, p.Path+".json", mark)
	err = d.Apply(t.Context(), p)
	var stale *tf.StalePlanError
	require.ErrorAs(t, err, &stale)
	require.ErrorContains(t, err, "the state has changed since: plan again")
}

// slow adds a resource that takes until it is interrupted, and one that comes after it.
func slow(t *testing.T, dir string) {
	t.Helper()
	write(t, dir+"/global/slow.tf", "resource \"terraform_data\" \"slow\" {\n  input = terraform_data.cluster.id\n  provisioner \"local-exec\" {\n    command = \"exec sleep 20\"\n  }\n}\nresource \"terraform_data\" \"after\" {\n  input = terraform_data.slow.id\n}\n")
}

func TestTrap08NoTypedErrorForAHeldLock(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	seen := &events{}
	o := tf.Options{Dir: dir, Units: units[:1], Binary: find(t), LocalState: true, Progress: seen.Event}
	slow(t, dir)
	d := open(t, o)
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	running := seen.on("Applying {Resource:{Address:terraform_data.slow")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- d.Apply(ctx, p) }() // terraform is another process than the next one
	<-running

	_, err = open(t, o).PlanDestroy(t.Context(), "global")
	var locked *tf.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, "global", locked.Unit)
	require.Equal(t, "OperationTypeApply", locked.Operation)
	require.Regexp(t, `.@.`, locked.Who)
	require.WithinDuration(t, time.Now(), locked.Created, time.Minute)
	require.Regexp(t, `^[0-9a-f-]{36}$`, locked.ID)
	require.ErrorContains(t, err, "force-unlock "+locked.ID)
	cancel()
	require.Error(t, <-ended)
	_, err = open(t, o).PlanDestroy(t.Context(), "global")
	require.NoError(t, err, "the cancelled run gave its lock back")
}

func TestCancelLetsTerraformWriteItsState(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	seen := &events{}
	slow(t, dir)
	d := open(t, tf.Options{Dir: dir, Units: units[:2], Binary: find(t), LocalState: true, Progress: seen.Event})
	running := seen.on("Applying {Resource:{Address:terraform_data.slow")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-running
		cancel(&tf.SignalError{Signal: os.Interrupt})
	}()
	err := d.ApplyAll(ctx)
	var cancelled *tf.CancelledError
	require.ErrorAs(t, err, &cancelled)
	require.Equal(t, []string{"terraform_data.cluster"}, cancelled.Applied)
	require.Equal(t, []string{"terraform_data.slow"}, cancelled.Unfinished)
	require.False(t, cancelled.Killed)
	var signal *tf.SignalError
	require.ErrorAs(t, err, &signal)
	require.ErrorContains(t, err, "the state is written and unlocked")
	state := read(t, dir+"/global/terraform.tfstate")
	require.Contains(t, state, `"cluster"`)
	require.NoFileExists(t, dir+"/global/.terraform.tfstate.lock.info")
	require.NoFileExists(t, dir+"/region-us-east-1/global.auto.tfvars.json")

	require.NoError(t, os.Remove(dir+"/global/slow.tf"))
	require.NoError(t, d.ApplyAll(t.Context()), "the next run goes on")
}

func TestNothingStartsAfterTheEndOfTheContext(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	d := open(t, tf.Options{Dir: dir, Units: units, Binary: find(t), LocalState: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := d.ApplyAll(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = d.PlanAll(ctx)
	var unit *tf.UnitError
	require.ErrorAs(t, err, &unit)
	require.Len(t, unit.Left, 3)
	require.NoDirExists(t, dir+"/global/.terraform")
}

func TestApprovalIsAskedAndKept(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	no := errors.New("the account is not the one that was confirmed")
	d := open(t, tf.Options{Dir: dir, Units: units, Binary: find(t), LocalState: true, Approve: func(context.Context, *tf.Plan) error { return no }})
	require.ErrorIs(t, d.ApplyAll(t.Context()), no)
	require.NoFileExists(t, dir+"/global/terraform.tfstate")
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir+"/global/versions.tf", "terraform {\n  backend \"s3\" {\n    bucket = \"lifeboat-x-state-us-east-1\"\n    key    = \"global.tfstate\"\n    region = \"us-east-1\"\n  }\n}\n")
	d := open(t, tf.Options{Dir: dir, Units: []infra.Unit{global}, Binary: find(t)})
	_, err := d.Plan(t.Context(), "global")
	var credentials *tf.CredentialsError
	require.ErrorAs(t, err, &credentials)
	require.ErrorContains(t, err, "No valid credential sources found: sign in (aws sso login)")
	require.Equal(t, tf.OpInit, credentials.Op)
}

// Neither what terraform is started with nor what a run leaves behind, but for states and
// the saved plan, holds a secret.
func TestNoSecretInArgumentsOrFiles(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	args := filepath.Join(t.TempDir(), "args")
	real := find(t)
	wrapper := filepath.Join(t.TempDir(), "terraform")
	require.NoError(t, os.WriteFile(wrapper, []byte("#!/bin/sh\necho \"$@\" >>"+args+"\nexec "+real.Path+" \"$@\"\n"), 0o755))
	real.Path = wrapper
	d := open(t, tf.Options{Dir: dir, Units: units[:1], Binary: real, LocalState: true, Environ: environ("AWS_SECRET_ACCESS_KEY=" + secret)})
	require.NoError(t, d.ApplyAll(t.Context()))
	require.NoError(t, d.DestroyAll(t.Context(), tf.DestroyOptions{}))
	require.Contains(t, read(t, args), "apply")
	require.NotContains(t, read(t, args), secret)
	out, err := exec.Command("grep", "-rlF", secret, dir).Output()
	require.NoError(t, err)
	for file := range strings.Lines(string(out)) {
		require.Regexp(t, `/(main\.tf|terraform\.tfstate(\.backup)?)$`, strings.TrimSpace(file))
	}
}
