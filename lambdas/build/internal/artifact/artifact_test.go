package artifact_test

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/build/internal/artifact"
)

// standIn is a module with small functions of the real names.
const standIn = "testdata/functions"

// copyOf puts the module's sources into a new folder of the given depth.
func copyOf(t *testing.T, module string, below ...string) string {
	t.Helper()
	to := filepath.Join(append([]string{t.TempDir()}, below...)...)
	err := filepath.WalkDir(module, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(module, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && rel != ".":
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
	require.NoError(t, err)
	return to
}

func build(t *testing.T, module string) []artifact.Artifact {
	t.Helper()
	built, err := artifact.Build(t.Context(), artifact.Config{Module: module})
	require.NoError(t, err)
	return built
}

var onceStandIns = sync.OnceValues(func() ([]artifact.Artifact, error) {
	return artifact.Build(context.Background(), artifact.Config{Module: standIn})
})

// standIns are the stand-in's packages, built once for every test that only looks.
func standIns(t *testing.T) []artifact.Artifact {
	t.Helper()
	built, err := onceStandIns()
	require.NoError(t, err)
	return built
}

// folder is what a build leaves behind: names and bytes.
func folder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	out := map[string][]byte{}
	for _, e := range entries {
		out[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
	}
	return out
}

// program unpacks the first file of a package that has so many more.
func program(t *testing.T, packed []byte, more int) (*zip.File, []byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	require.NoError(t, err)
	require.Len(t, z.File, 1+more)
	r, err := z.File[0].Open()
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return z.File[0], data
}

// The second build stands in another folder, and in a shell that is set up for
// something else.
func TestSameBytesAnywhere(t *testing.T) {
	for name, module := range map[string]string{"stand-in": standIn, "the functions": "../../../.."} {
		t.Run(name, func(t *testing.T) {
			if raced && module != standIn {
				t.Skip("takes a minute and a half: run without -race, as make prove does")
			}
			first, second := filepath.Join(t.TempDir(), "dist"), filepath.Join(t.TempDir(), "dist")
			here := copyOf(t, module, "a")
			there := copyOf(t, here, "quite", "another folder") // of the copy: no other test writes there meanwhile
			write := func(to, module string) { require.NoError(t, artifact.Write(to, build(t, module))) }
			if module != standIn {
				write = tool(t, module)
			}
			write(first, here)

			for name, value := range map[string]string{
				"GOOS": "windows", "GOARCH": "386", "GOAMD64": "v3", "GOARM64": "v9.0", "CGO_ENABLED": "1",
				"GOFLAGS": "-tags=other -ldflags=-X=main.x=y", "GOEXPERIMENT": "nogreenteagc", "GOWORK": "/nowhere", "TZ": "Asia/Kolkata",
			} {
				t.Setenv(name, value)
			}
			write(second, there)

			one, two := folder(t, first), folder(t, second)
			require.Len(t, one, len(artifact.Functions)*2+1)
			for name := range one {
				require.True(t, bytes.Equal(one[name], two[name]), "%s differs", name)
			}
		})
	}
}

// tool returns what `make lambdas` runs, compiled for this machine and without the race
// detector.
func tool(t *testing.T, module string) func(to, module string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "build")
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run("go", "build", "-C", module, "-o", program, "./lambdas/build")
	return func(to, module string) {
		t.Helper()
		run(program, "-C", module, "-out", to)
	}
}

// The comparison above can fail: a path in the program is enough.
func TestUntrimmedBytesDiffer(t *testing.T) {
	var programs [][]byte
	for _, below := range []string{"a", "quite another folder"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", "out", "./lambdas/health-monitor")
		cmd.Dir = copyOf(t, standIn, below)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		data, err := os.ReadFile(filepath.Join(cmd.Dir, "out"))
		require.NoError(t, err)
		programs = append(programs, data)
	}
	require.False(t, bytes.Equal(programs[0], programs[1]))
}

func TestPackage(t *testing.T) {
	machines := map[string]elf.Machine{"arm64": elf.EM_AARCH64, "x86_64": elf.EM_X86_64}
	for _, a := range standIns(t) {
		t.Run(a.Name, func(t *testing.T) {
			file, data := program(t, a.Zip, 0)
			require.Equal(t, "bootstrap", file.Name)
			require.Equal(t, os.FileMode(0o755), file.Mode())
			require.True(t, file.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)), "%v", file.Modified)
			require.Len(t, data, a.Unpacked)

			e, err := elf.NewFile(bytes.NewReader(data))
			require.NoError(t, err)
			_, architecture, _ := strings.Cut(strings.TrimSuffix(a.Name, ".zip"), "-")
			_, architecture, _ = strings.Cut(architecture, "-")
			require.Equal(t, machines[architecture], e.Machine)
			require.Nil(t, e.Section(".interp"), "provided.al2023 has no libc to count on")
			require.Nil(t, e.Section(".symtab"), "not stripped")
			require.Nil(t, e.Section(".debug_info"), "not stripped")
			require.Nil(t, e.Section(".zdebug_info"), "not stripped")

			made, err := buildinfo.Read(bytes.NewReader(data))
			require.NoError(t, err)
			require.Equal(t, made.GoVersion, a.Go)
			require.Contains(t, string(data), "built without net/rpc")
		})
	}
}

// What is packed must run: the one for this machine is started.
func TestPackageRuns(t *testing.T) {
	host := map[string]string{"amd64": "x86_64", "arm64": "arm64"}
	uname, err := exec.Command("go", "env", "GOHOSTOS", "GOHOSTARCH").Output()
	require.NoError(t, err)
	on := strings.Fields(string(uname))
	if on[0] != "linux" || host[on[1]] == "" {
		t.Skipf("Lambda's programs don't run on %v", on)
	}
	for _, a := range standIns(t) {
		if !strings.HasSuffix(a.Name, "-"+host[on[1]]+".zip") {
			continue
		}
		file, data := program(t, a.Zip, 0)
		path := filepath.Join(t.TempDir(), file.Name)
		require.NoError(t, os.WriteFile(path, data, file.Mode()))
		out, err := exec.CommandContext(t.Context(), path).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "example.com/functions/lambdas/")
	}
}

// Terraform looks for the packages by these names.
func TestNamesAreTerraforms(t *testing.T) {
	asked, err := os.ReadFile("../../../../terraform/stacks/default/region-us-east-1/terraform.tfvars")
	require.NoError(t, err)
	var found int
	for _, a := range standIns(t) {
		if strings.HasSuffix(a.Name, "-arm64.zip") {
			require.Contains(t, string(asked), "/"+a.Name+`"`)
			found++
		}
	}
	require.Equal(t, strings.Count(string(asked), ".zip"), found)

	// The default deployment is arm64; the other name is Lambda's own.
	takes, err := os.ReadFile("../../../../terraform/modules/failover/variables.tf")
	require.NoError(t, err)
	require.Contains(t, string(takes), `contains(["arm64", "x86_64"], var.architecture)`)
}

func TestChecksums(t *testing.T) {
	dir := t.TempDir()
	built := standIns(t)
	require.NoError(t, artifact.Write(dir, built))
	check := func() ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), "sha256sum", "--strict", "-c", artifact.SumsFile)
		cmd.Dir = dir
		return cmd.CombinedOutput()
	}
	if _, err := exec.LookPath("sha256sum"); err != nil {
		t.Skip(err)
	}
	out, err := check()
	require.NoError(t, err, "%s", out)
	require.Equal(t, len(built), strings.Count(string(out), ": OK\n"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, built[0].Name), []byte("other"), 0o600))
	out, err = check()
	require.Error(t, err)
	require.Contains(t, string(out), built[0].Name+": FAILED")
}

func TestBuildRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		config artifact.Config
		want   []string
	}{
		"too large": {
			artifact.Config{Module: standIn, Limit: 1000},
			[]string{"build health-monitor for arm64", "build failover-trigger for x86_64", "bytes and may have 1000"},
		},
		"does not compile": {
			artifact.Config{Module: standIn, Functions: []string{"broken"}},
			[]string{"build broken for arm64", "build broken for x86_64", "undefined: undefined"},
		},
		"everything wrong at once": {
			artifact.Config{Module: t.TempDir(), Functions: []string{"nowhere", "../up", "nowhere"}, Limit: -1},
			[]string{"go.mod", "-C", "function nowhere:", `function "../up"`, "named twice", "limit -1"},
		},
		"no Go": {
			artifact.Config{Module: standIn, Functions: []string{"empty"}, Go: "/nowhere/go"},
			[]string{"build empty for arm64", "/nowhere/go"},
		},
		"nothing to build": {
			artifact.Config{Module: standIn, Functions: []string{}},
			[]string{"no function is named"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			built, err := artifact.Build(t.Context(), test.config)
			require.Error(t, err)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			require.Empty(t, built)
		})
	}
}

// What `go env -w` has set can't be replaced without a value, so it is found afterwards.
func TestBuildRefusesAnExperiment(t *testing.T) {
	env := filepath.Join(t.TempDir(), "env")
	require.NoError(t, os.WriteFile(env, []byte("GOEXPERIMENT=nogreenteagc\n"), 0o600))
	t.Setenv("GOENV", env)
	_, err := artifact.Build(t.Context(), artifact.Config{Module: standIn, Functions: []string{"empty"}})
	require.ErrorContains(t, err, `it was built with GOEXPERIMENT="nogreenteagc" instead of ""`)
}

func TestBuildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := artifact.Build(ctx, artifact.Config{Module: standIn})
	require.ErrorIs(t, err, context.Canceled)
}

// The real functions hold to the limit as it is, and call what Terraform lets them call.
func TestFunctions(t *testing.T) {
	for _, a := range build(t, "../../../..") {
		t.Logf("%s: %d bytes, unpacked %d, services %v", a.Name, len(a.Zip), a.Unpacked, a.Services)
		require.Subset(t, []string{"cloudwatch", "dynamodb", "lambda", "rds", "secretsmanager", "sns"}, a.Services)
		require.Contains(t, a.Services, "dynamodb")
	}
}
