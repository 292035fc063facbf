// Command reliability adds saved drills up: for each target a table of how many runs of
// each scenario passed, how bad the worst was, and how large the share of runs that don't
// pass can be after so many.
//
//	go run ./drills/report/reliability drills/out
//
// With -readme it writes the tables into a document. It plays nothing; make reliability
// plays and then calls it. Its exit status is 0 when the tables are printed or written, 1
// when there is nothing to add up or something is broken, 2 when it could not begin.
// Whether the runs passed does not change it: the table says that.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/drills/report"
)

// The exit statuses.
const (
	exitDone = iota
	exitFailed
	exitNotBegun
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// options are the command line.
type options struct {
	readme string
	plan   report.Plan
	dirs   []string
}

func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		fmt.Fprintln(stderr, "reliability:", err)
		return exitNotBegun
	}
	if err := add(o, stdout); err != nil {
		fmt.Fprintln(stderr, "reliability:", err)
		return exitFailed
	}
	return exitDone
}

func parse(args []string, w io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("reliability", flag.ContinueOnError)
	f.SetOutput(w)
	f.StringVar(&o.readme, "readme", "", "`file` to write the tables into, each between <!-- reliability TARGET --> and <!-- end -->; default: print them")
	f.IntVar(&o.plan.Runs, "runs", 0, "how `many` runs each scenario was meant to get: one that left no result then counts as inconclusive; default: what is there")
	scenarios := f.String("scenarios", "", "comma-separated `names` of the scenarios that were meant to get -runs; default: the whole catalogue")
	f.Usage = func() {
		fmt.Fprint(w, `reliability adds up the drills that are saved below the given folders.

    go run ./drills/report/reliability FOLDER...                      print the tables
    go run ./drills/report/reliability -readme README.md FOLDER...    write them into README.md
    make reliability RUNS=100                                         play into drills/out/reliability, then write

`)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var errs []error
	if o.plan.Runs < 0 {
		errs = append(errs, fmt.Errorf("-runs is %d: use a whole number from 1", o.plan.Runs))
	}
	for name := range strings.SplitSeq(*scenarios, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		_, err := drill.Find(name)
		errs = append(errs, err)
		o.plan.Played = append(o.plan.Played, name)
	}
	if o.plan.Played != nil && o.plan.Runs == 0 {
		errs = append(errs, errors.New("-scenarios without -runs: say how many runs these were meant to get"))
	}
	for _, s := range drill.Scenarios() {
		o.plan.Scenarios = append(o.plan.Scenarios, s.Name)
	}
	if o.dirs = f.Args(); len(o.dirs) == 0 {
		errs = append(errs, errors.New("no folder: name one that holds saved runs, such as drills/out"))
	}
	return o, errors.Join(errs...)
}

// add reads, sums up, and prints or writes.
func add(o options, stdout io.Writer) error {
	results, err := report.LoadResults(o.dirs...)
	if err != nil {
		return err
	}
	if len(results) == 0 {
		return fmt.Errorf("no run is saved below %s: play some with make reliability, or with DRILL_REPEAT=20 go test ./drills -run TestGameDay", strings.Join(o.dirs, ", "))
	}
	sums, err := report.Sum(results, o.plan)
	if err != nil {
		return err
	}
	if o.readme == "" {
		for i, s := range sums {
			if i > 0 {
				fmt.Fprintln(stdout)
			}
			fmt.Fprint(stdout, s.Markdown())
		}
		return nil
	}
	return write(o.readme, sums, stdout)
}

// write replaces every section, or none of them.
func write(path string, sums []report.Reliability, stdout io.Writer) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	document := string(text)
	for _, s := range sums {
		if document, err = report.ReplaceSection(document, s.Target, s.Markdown()); err != nil {
			return fmt.Errorf("write into %s: %w", path, err)
		}
	}
	if err := os.WriteFile(path, []byte(document), 0o644); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	for _, s := range sums {
		fmt.Fprintf(stdout, "%s: the reliability on %s, %d scenarios\n", path, s.Target, len(s.Rows))
	}
	return nil
}
