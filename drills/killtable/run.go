package killtable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says which bugs are run and how.
type Config struct {
	// Root is the folder of the module, absolute.
	Root string
	Bugs []Bug
	// Temp is where the changed files lie meanwhile, a folder of its own.
	Temp string
	// Go is the go command. Default "go".
	Go string
	// Workers is how many bugs are tried at once. Default GOMAXPROCS.
	Workers int
	// Timeout is how long one test may run, without its compilation. Default 1 min.
	Timeout time.Duration
	// Done, when set, is told of every bug as it has been tried, one at a time.
	Done func(Row)
}

// compileTimeout is what a test binary may take on top, on a machine that has nothing
// cached and other work to do.
const compileTimeout = 5 * time.Minute

// Row is one bug that has been tried.
type Row struct {
	Bug
	Took time.Duration
	// Err says why the bug is not killed; nil when it is.
	Err error
}

// ErrSurvived is in a row's error when the test passed in spite of the bug.
var ErrSurvived = errors.New("the bug survived: the test passed in spite of it")

// Run tries every bug. First it runs each named test without any bug: one that fails by
// itself can't tell anything, and one that skips hasn't run. The rows are in the order
// of the bugs; the error is about what kept them from being tried.
func Run(ctx context.Context, c Config) ([]Row, error) {
	if c.Go == "" {
		c.Go = "go"
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.Timeout <= 0 {
		c.Timeout = time.Minute
	}
	if c.Done == nil {
		c.Done = func(Row) {}
	}
	overlays, err := c.plant()
	if err != nil {
		return nil, err
	}
	if err := c.sound(ctx); err != nil {
		return nil, err
	}
	rows := make([]Row, len(c.Bugs))
	var told sync.Mutex
	c.each(len(rows), func(i int) {
		begun := time.Now()
		err := c.try(ctx, c.Bugs[i], overlays[i])
		rows[i] = Row{c.Bugs[i], time.Since(begun), err}
		told.Lock()
		defer told.Unlock()
		c.Done(rows[i])
	})
	return rows, ctx.Err()
}

// plant writes the changed files of all bugs, so that one that is out of date is
// reported before anything is run.
func (c Config) plant() ([]string, error) {
	var errs []error
	if !filepath.IsAbs(c.Root) || c.Temp == "" {
		errs = append(errs, fmt.Errorf("killtable: Root %q must be absolute and Temp %q a folder", c.Root, c.Temp))
		return nil, errors.Join(errs...)
	}
	overlays := make([]string, len(c.Bugs))
	names := map[string]bool{}
	for i, b := range c.Bugs {
		if names[b.Name] {
			errs = append(errs, fmt.Errorf("killtable: two bugs are called %q", b.Name))
		}
		names[b.Name] = true
		if err := b.Validate(); err != nil {
			errs = append(errs, err)
			continue
		}
		dir := filepath.Join(c.Temp, fmt.Sprint(i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			errs = append(errs, fmt.Errorf("killtable: %w", err))
			continue
		}
		overlay, err := b.Plant(c.Root, dir)
		errs, overlays[i] = append(errs, err), overlay
	}
	return overlays, errors.Join(errs...)
}

// sound runs every named test without a bug and requires that it passes.
func (c Config) sound(ctx context.Context) error {
	tests := map[string][]string{}
	for _, b := range c.Bugs {
		if !slices.Contains(tests[b.Package], b.Test) {
			tests[b.Package] = append(tests[b.Package], b.Test)
		}
	}
	packages := slices.Sorted(maps.Keys(tests))
	errs := make([]error, len(packages))
	c.each(len(packages), func(i int) {
		names := tests[packages[i]]
		out, err := c.test(ctx, packages[i], names, "")
		for _, name := range names {
			if !strings.Contains(out, "\n--- PASS: "+name+" ") {
				errs[i] = errors.Join(errs[i], fmt.Errorf("killtable: without a bug %s of %s does not pass, so it proves nothing: %w\n%s", name, packages[i], cause(err), tail(out)))
			}
		}
	})
	return errors.Join(errs...)
}

// try runs a bug's test and returns nil when it has killed the bug.
func (c Config) try(ctx context.Context, b Bug, overlay string) error {
	out, err := c.test(ctx, b.Package, []string{b.Test}, overlay)
	if err := judge(b, out, err); err != nil {
		return fmt.Errorf("killtable: bug %q (%s), test %s of %s: %w\n%s", b.Name, b.File, b.Test, b.Package, err, tail(out))
	}
	return nil
}

// judge says what the output of a bug's test means. It is pure.
func judge(b Bug, out string, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil && strings.Contains(out, "\n--- PASS: "+b.Test+" "):
		return ErrSurvived
	case err == nil:
		return errors.New("the test did not run")
	case !errors.As(err, &exit):
		return err // the go command itself could not be run
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		return errors.New("the bug does not compile: adapt it")
	case strings.Contains(out, "\npanic: "), strings.Contains(out, "\nfatal error: "):
		return errors.New("the test panicked, which is not how it says that something is wrong")
	case !strings.Contains(out, "\n--- FAIL: "+b.Test+" "):
		return fmt.Errorf("something else failed: %w", err)
	case !strings.Contains(out, b.Says):
		return fmt.Errorf("the test failed and does not say %q: it may have failed for another reason", b.Says)
	}
	return nil
}

// test runs tests of one package, never out of the cache, and returns what they printed.
func (c Config) test(ctx context.Context, pkg string, names []string, overlay string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout+compileTimeout)
	defer cancel()
	// Without vet and symbols it is compiled and linked sooner.
	args := []string{"test", "-count=1", "-v", "-vet=off", "-ldflags=-s -w", "-timeout", c.Timeout.String(), "-run", "^(" + strings.Join(names, "|") + ")$"}
	cmd := exec.CommandContext(ctx, c.Go, append(args, pkg)...)
	cmd.Dir = c.Root
	cmd.Env = environment(os.Environ())
	if overlay != "" {
		// Not as an argument: a test that runs the go command must see the bug, too.
		cmd.Env = append(cmd.Env, "GOFLAGS=-overlay="+overlay)
	}
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return "\n" + string(out), err
}

// environment leaves out what steers this run and must not steer the tests in it.
func environment(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(v string) bool {
		return strings.HasPrefix(v, "DRILL_") || strings.HasPrefix(v, "LIFEBOAT_SEED") || strings.HasPrefix(v, "GOFLAGS=")
	})
}

// each calls do for 0 to n-1, Workers at a time, and returns when all have returned.
func (c Config) each(n int, do func(int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(c.Workers, n) {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

func cause(err error) error {
	if err == nil {
		return errors.New("it was skipped or is not there")
	}
	return err
}

// tail is what a reader needs of a long output.
func tail(out string) string {
	const most = 4000
	if len(out) > most {
		out = "...\n" + out[len(out)-most:]
	}
	return strings.TrimSpace(out)
}
