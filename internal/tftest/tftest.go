// Package tftest gives tests the real terraform and a provider to run it with.
//
// Validating a module needs the AWS provider's schema, and planning or applying one
// needs an AWS account or a provider that stands in for it. LIFEBOAT_TERRAFORM_RC
// names a CLI configuration that installs such a stand-in; a test that needs one and
// finds none skips and says so, unless DRILL_REQUIRE contains "terraform".
package tftest

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// RC is the environment variable that names the CLI configuration.
const RC = "LIFEBOAT_TERRAFORM_RC"

// Terraform returns the path of terraform, or skips.
func Terraform(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("terraform")
	if err != nil {
		Missing(t, "terraform is not on PATH")
	}
	return path
}

// Provider returns the path of the CLI configuration with a stand-in for the AWS
// provider, or skips.
func Provider(t testing.TB) string {
	t.Helper()
	Terraform(t)
	rc := os.Getenv(RC)
	if rc == "" {
		Missing(t, "no provider to plan with: set "+RC+" to a CLI configuration that installs a stand-in for hashicorp/aws")
	}
	_, err := os.Stat(rc)
	require.NoError(t, err, "%s", RC) // terraform itself only warns
	return rc
}

// Missing skips because of what is missing, or fails where that is required.
func Missing(t testing.TB, what string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("DRILL_REQUIRE"), ","), "terraform") {
		require.FailNow(t, what, "and DRILL_REQUIRE asks for terraform")
	}
	t.Skip(what)
}

// Result is what a run of terraform printed.
type Result struct {
	Stdout, Stderr string
	Err            error
}

// Run runs terraform in a folder with the stand-in, and nothing of the caller's
// environment that could change its answer.
func Run(t testing.TB, dir string, args ...string) Result {
	t.Helper()
	cmd := exec.Command(Terraform(t), args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
		"TF_CLI_CONFIG_FILE=" + Provider(t), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"GOGC=400", // terraform and provider decode a large schema in every run: a third less work
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	return Result{out.String(), errs.String(), err}
}

// Must runs terraform and returns what it printed; it must succeed.
func Must(t testing.TB, dir string, args ...string) string {
	t.Helper()
	r := Run(t, dir, args...)
	require.NoError(t, r.Err, "terraform %s in %s:\n%s%s", strings.Join(args, " "), dir, r.Stdout, r.Stderr)
	return r.Stdout
}

// Write copies a tree of files into a folder.
func Write(t testing.TB, from fs.FS, dir string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		data, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	}))
}
