// Command build makes the packages of the Lambda functions: one zip for each function
// and architecture, and SHA256SUMS beside them.
//
//	go run ./lambdas/build -out dist
//
// The same source and the same Go release give the same bytes in any folder, so a
// reviewer can rebuild what a plan pins and compare. Its exit status is 0 when every
// package is written, 1 when none is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/lifeboat-dr/lifeboat/lambdas/build/internal/artifact"
	"github.com/lifeboat-dr/lifeboat/lambdas/build/internal/cost"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(stderr)
	module := flags.String("C", ".", "`folder` of the module")
	out := flags.String("out", "dist", "`folder` that the packages are written to, created if it is not there")
	gocmd := flags.String("go", "go", "`command` that compiles")
	ca := flags.String("ca", "", "PEM `file` of RDS's authorities to pack (default "+artifact.Authorities+" in the module, if it is there)")
	bill := flags.Bool("cost", false, "print what the functions cost in a month instead of building them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag: every function is built, for every architecture", flags.Arg(0))
	}
	if *bill {
		_, err := fmt.Fprint(stdout, cost.Markdown(cost.Loop{}.Monthly()), "\n", cost.Markdown(cost.Loop{}.Endpoints()))
		return err
	}
	built, err := artifact.Build(ctx, artifact.Config{Module: *module, Go: *gocmd, Authorities: *ca})
	if err != nil {
		return err
	}
	if err := artifact.Write(*out, built); err != nil {
		return err
	}
	if !slices.ContainsFunc(built, func(a artifact.Artifact) bool { return a.Trusts }) {
		fmt.Fprintf(stderr, "build: no %s: these packages can't log in to Aurora; lambdas/README.md says where the file comes from\n", artifact.Authorities)
	}
	return report(stdout, *out, built)
}

func report(w io.Writer, out string, built []artifact.Artifact) error {
	for _, a := range built {
		_, err := fmt.Fprintf(w, "%-42s %5.2f MB, unpacked %5.2f MB, %s, AWS services %v\n",
			filepath.Join(out, a.Name), megabytes(len(a.Zip)), megabytes(a.Unpacked), a.Go, a.Services)
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, filepath.Join(out, artifact.SumsFile))
	return err
}

func megabytes(n int) float64 { return float64(n) / 1e6 }
