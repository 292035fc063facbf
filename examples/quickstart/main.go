// Command quickstart runs one drill in real time: a Region dies, the writer moves,
// a client measures it. It needs no account and, on its default target, no Docker.
//
// Its exit status is 0 only when the drill has passed: 1 is a drill that failed or
// proved nothing, 2 a drill that could not be run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/report"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
	"github.com/lifeboat-dr/lifeboat/drills/target/embedded"
)

func main() {
	// The first Ctrl-C heals and cleans up; the second one ends at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, term.IsTerminal(int(os.Stdout.Fd()))))
}

// The exit statuses.
const (
	exitPassed = iota
	exitNotPassed
	exitNotRun
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer, terminal bool) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	target := flags.String("target", "embedded", "what to drill: `embedded` (in this process) or docker (two real MySQL servers)")
	scenario := flags.String("scenario", "region-blackout", "what to break, a `name` from the list below")
	seed := flags.Uint64("seed", 1, "`number` that everything drawn comes from")
	out := flags.String("out", "drills/out", "`folder` for the runs' results")
	again := flags.String("measure", "", "measure the saved run in this `folder` again, instead of running one")
	flags.Usage = func() { usage(stderr, flags) }
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitPassed
	case err != nil:
		return exitNotRun
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "quickstart: unexpected argument %q: see -h\n", flags.Arg(0))
		return exitNotRun
	}
	if *again != "" {
		return measureAgain(*again, stdout, stderr)
	}
	s, err := drill.Find(*scenario)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitNotRun
	}
	var t drill.Target
	switch *target {
	case "embedded":
		t = embedded.New(embedded.Config{})
	case "docker":
		t = docker.New(docker.Options{KeepSignals: true}) // ctx is theirs already
	default:
		fmt.Fprintf(stderr, "quickstart: unknown target %q: use one of %s\n", *target, strings.Join(drill.Targets, ", "))
		return exitNotRun
	}

	d := newDisplay(stdout, terminal)
	d.title(fmt.Sprintf("%s on %s: %s", s.Name, t.Name(), s.Summary))
	result, err := drill.Run(ctx, t, s, drill.Options{Seed: *seed, Out: *out, Progress: d.progress})
	d.end()
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "quickstart: interrupted; everything is healed and cleaned up")
		return exitNotRun
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitNotRun
	}
	fmt.Fprint(stdout, result.Summary)
	if result.Verdict.Outcome != measure.Passed {
		return exitNotPassed
	}
	return exitPassed
}

// measureAgain judges a saved run by the code as it is now.
func measureAgain(folder string, stdout, stderr io.Writer) int {
	saved, err := report.Load(folder)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitNotRun
	}
	result, verdict := saved.Measure()
	fmt.Fprint(stdout, report.Summary(saved.Meta, result, verdict, folder))
	if verdict.Outcome != measure.Passed {
		return exitNotPassed
	}
	return exitPassed
}

func usage(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(w, "quickstart runs one drill in real time and ends with what a client suffered.\n\n"+
		"  go run ./examples/quickstart [-target embedded|docker] [-scenario NAME] [-seed N] [-out FOLDER]\n"+
		"  go run ./examples/quickstart -measure FOLDER\n\n")
	flags.PrintDefaults()
	fmt.Fprintln(w, "\nscenarios:")
	for _, s := range drill.Scenarios() {
		fmt.Fprintf(w, "  %-26s %s (%s)\n", s.Name, s.Summary, s.Expect.Behaviour)
	}
	fmt.Fprintln(w, "\nexit status: 0 passed, 1 failed or inconclusive, 2 not run")
}
