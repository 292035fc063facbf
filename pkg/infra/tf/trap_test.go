package tf_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/infra/tf"
)

// The numbers are those of the traps of terraform-exec in the research notes, section 5.2.

func TestTrap01StdoutStaysAttached(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	seen := &events{}
	var lines strings.Builder
	plain := tf.NewLines(&lines)
	d := open(t, tf.Options{Dir: dir, Units: units[:1], Binary: find(t), LocalState: true, Progress: func(u string, e tf.Event) {
		seen.Event(u, e)
		plain.Event(u, e)
	}})
	require.NoError(t, d.ApplyAll(t.Context()))
	values, err := d.Outputs(t.Context(), "global") // it would print into the apply's writer
	require.NoError(t, err)
	require.Contains(t, values, "cluster_id")
	require.NotContains(t, values, "password")
	require.NotContains(t, seen.String()+lines.String()+fmt.Sprint(values), secret)
	require.Contains(t, seen.String(), "Sensitive:[password]", "the stream was read")
}

func TestTrap02TestDropsItsOptions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			require.NotRegexp(t, `\bt\.Test\(`, read(t, file), "%s: tfexec's Test answers nil when it has run nothing", file)
		}
	}
}

func TestTrap03EndOfContextAtTheMomentOfSuccess(t *testing.T) {
	t.Parallel()
	d, seen := faked(t, "succeeds-when-cancelled", tf.Options{})
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	require.NoError(t, d.Apply(cancelling(t, seen), p), "terraform said that it had finished")

	d, seen = faked(t, "silent-when-cancelled", tf.Options{})
	p, err = d.Plan(t.Context(), "global")
	require.NoError(t, err)
	err = d.Apply(cancelling(t, seen), p)
	var cancelled *tf.CancelledError
	require.ErrorAs(t, err, &cancelled)
	require.ErrorIs(t, err, context.Canceled)
	require.NotPanics(t, func() { _ = fmt.Sprintf("%v %+v", err, errors.Unwrap(err)) })
}

func TestTrap04KilledInTheMiddleOfAnApply(t *testing.T) {
	t.Parallel()
	d, seen := faked(t, "slow-to-stop", tf.Options{}) // 45 minutes
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	var cancelled *tf.CancelledError
	require.ErrorAs(t, d.Apply(cancelling(t, seen), p), &cancelled)
	require.False(t, cancelled.Killed)
	require.Equal(t, []string{"aws_rds_cluster.this"}, cancelled.Applied, "what it finished after the request to stop")

	d, seen = faked(t, "deaf", tf.Options{ApplyWait: 200 * time.Millisecond})
	p, err = d.Plan(t.Context(), "global")
	require.NoError(t, err)
	err = d.Apply(cancelling(t, seen), p)
	require.ErrorAs(t, err, &cancelled)
	require.True(t, cancelled.Killed)
	require.ErrorContains(t, err, "a lock that it still holds")
}

func TestTrap05SignalsDoNotReachTerraform(t *testing.T) {
	later := make(chan int, 1)
	ctx, stop := tf.WithSignals(t.Context(), func(n int) { later <- n })
	defer stop()
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	<-ctx.Done()
	var cause *tf.SignalError
	require.ErrorAs(t, context.Cause(ctx), &cause)
	require.Equal(t, syscall.SIGTERM, cause.Signal)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT))
	require.Equal(t, 2, <-later, "still alive, and asked")
}

// The main thread never ends, so no test may run on it.
func TestMain(m *testing.M) {
	runtime.LockOSThread()
	os.Exit(m.Run())
}

// The same trap's other half: Linux kills terraform when the thread that started it ends,
// and a goroutine that is pinned to a thread ends that thread with it.
func TestTrap05TerraformDiesWithItsThread(t *testing.T) {
	t.Parallel()
	d, seen := faked(t, "works", tf.Options{})
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	begun := seen.on("Version")
	var threads, pinned sync.WaitGroup
	go func() {
		<-begun
		pinned.Add(100)
		for range 100 {
			threads.Go(func() {
				runtime.LockOSThread() // and never unlocked
				pinned.Done()
				pinned.Wait() // each has a thread of its own, so every idle one is taken
			})
		}
	}()
	require.NoError(t, d.Apply(t.Context(), p))
	threads.Wait()
}

func TestTrap06EnvironmentLeaks(t *testing.T) {
	dir, units := estate(t)
	for key, value := range map[string]string{
		"TF_VAR_password": "leaked", "TF_CLI_ARGS_plan": "-target=terraform_data.none", "TF_WORKSPACE": "other",
		"TF_DATA_DIR": filepath.Join(dir, "elsewhere"), "TF_LOG": "TRACE", "TF_LOG_PATH": filepath.Join(dir, "trace.log"),
		"TF_REATTACH_PROVIDERS": "{}", "TF_IN_AUTOMATION": "0", "TF_INPUT": "1",
	} {
		t.Setenv(key, value)
	}
	d := open(t, tf.Options{Dir: dir, Units: units[:1], Binary: find(t), LocalState: true, Environ: os.Environ()})
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	require.True(t, p.Changes)
	require.Len(t, p.JSON.ResourceChanges, 1)
	require.NotContains(t, fmt.Sprint(p.JSON.Variables["password"].Value), "leaked")
	require.NoFileExists(t, filepath.Join(dir, "trace.log"))
	require.NoDirExists(t, filepath.Join(dir, "elsewhere"))

	env := tf.CleanEnv([]string{"PATH=/bin", "HOME=/h", "AWS_PROFILE=p", "AWS_SESSION_TOKEN=t", "HTTPS_PROXY=x", "TF_CLI_CONFIG_FILE=rc", "TF_PLUGIN_CACHE_DIR=c", "TF_LOG_SDK=x", "=odd", "odd"})
	require.Equal(t, map[string]string{
		"PATH": "/bin", "HOME": "/h", "AWS_PROFILE": "p", "AWS_SESSION_TOKEN": "t", "HTTPS_PROXY": "x",
		"TF_CLI_CONFIG_FILE": "rc", "TF_PLUGIN_CACHE_DIR": "c", "CHECKPOINT_DISABLE": "1",
	}, env)
}

func TestTrap07ErrorsAreOnStdout(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	d := open(t, tf.Options{Dir: dir, Units: units[:1], Binary: find(t), LocalState: true})
	require.NoError(t, d.Init(t.Context(), "global"))
	write(t, dir+"/global/extra.tf", "resource \"terraform_data\" \"x\" {\n  inputt = var.nothing\n}\n")
	_, err := d.Plan(t.Context(), "global")
	var told *tf.DiagnosticsError
	require.ErrorAs(t, err, &told)
	require.Equal(t, "Unsupported argument", told.Diagnostics[0].Summary)
	require.Equal(t, "extra.tf", told.Diagnostics[0].File)
	require.Equal(t, 2, told.Diagnostics[0].Line)
	require.ErrorContains(t, err, `Did you mean "input"?`)
}

func TestTrap09LongLines(t *testing.T) {
	t.Parallel()
	d, seen := faked(t, "long-line", tf.Options{})
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	require.NoError(t, d.Apply(t.Context(), p))
	require.Contains(t, seen.String(), "long.line")
}

func TestTrap10CancelledPlanLooksLikeChanges(t *testing.T) {
	t.Parallel()
	d, seen := faked(t, "plan-cancelled", tf.Options{})
	p, err := d.Plan(cancelling(t, seen), "global")
	var cancelled *tf.CancelledError
	require.ErrorAs(t, err, &cancelled)
	require.Nil(t, p)
	require.ErrorContains(t, err, "nothing was changed")
}

func TestTrap11NotSafeForConcurrentCommands(t *testing.T) {
	t.Parallel()
	dir, units := estate(t)
	d := open(t, tf.Options{Dir: dir, Units: units[:2], Binary: find(t), LocalState: true})
	require.NoError(t, d.ApplyAll(t.Context()))
	var all sync.WaitGroup
	errs := make([]error, len(units))
	for i := range errs {
		all.Go(func() { _, errs[i] = d.Plan(t.Context(), units[i%2].Name) })
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
}

// Beyond the list: terraform-exec returns from a context that ends while the process
// starts without waiting for the process, which stays behind.
func TestTrap12ProcessIsLeftBehind(t *testing.T) {
	t.Parallel()
	d, _ := faked(t, "plan-cancelled", tf.Options{})
	require.NoError(t, d.Init(t.Context(), "global"))
	for delay := time.Duration(0); delay < 12*time.Millisecond; delay += 60 * time.Microsecond {
		ctx, cancel := context.WithTimeout(t.Context(), delay)
		_, err := d.Plan(ctx, "global")
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.Eventually(t, func() bool { return zombies(t) == 0 }, 5*time.Second, 20*time.Millisecond)
}

// zombies counts children that have ended and that no process has waited for.
func zombies(t *testing.T) (n int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it is gone
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[0] == "Z" && fields[1] == strconv.Itoa(os.Getpid()) {
			n++
		}
	}
	return n
}

func TestUnknownStreamFormatStopsTheRun(t *testing.T) {
	t.Parallel()
	d, _ := faked(t, "format-2", tf.Options{})
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	err = d.Apply(t.Context(), p)
	var format *tf.FormatError
	require.ErrorAs(t, err, &format)
	require.Equal(t, "2.0", format.UI)
}

func TestStateDumpIsKeptAndNotShown(t *testing.T) {
	t.Parallel()
	d, seen := faked(t, "dumps", tf.Options{})
	p, err := d.Plan(t.Context(), "global")
	require.NoError(t, err)
	err = d.Apply(t.Context(), p)
	var unwritten *tf.StateNotWrittenError
	require.ErrorAs(t, err, &unwritten)
	require.NotContains(t, seen.String()+err.Error(), secret)
	kept := filepath.Join(unwritten.Dir, unwritten.File)
	require.JSONEq(t, `{"serial":7,"secret":"`+secret+`"}`, read(t, kept))
	info, err := os.Stat(kept)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	_, err = d.Plan(t.Context(), "global")
	require.ErrorAs(t, err, &unwritten, "what is not known must not be created again")
	require.ErrorContains(t, err, "state push "+unwritten.File)
}
