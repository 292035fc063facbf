package artifact

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// tags: without net/rpc, which served the go1.x runtime only (aws-lambda-go README).
const tags = "lambda.norpc"

// compile links one function's program. What it prints goes into the error.
func compile(ctx context.Context, c Config, function string, to arch, program string) error {
	cmd := exec.CommandContext(ctx, c.Go, "build",
		"-trimpath", "-buildvcs=false", // neither the folder nor the commit is part of the bytes
		"-tags", tags,
		"-ldflags", "-s -w -buildid=",
		"-o", program, "./lambdas/"+function)
	cmd.Dir = c.Module
	cmd.Env = environment(os.Environ(), to)
	// Interrupted, go waits for its compilers; killed, it would leave them behind.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s build: %w: %s", c.Go, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// environment replaces every variable that would change the bytes. What finds modules,
// caches and toolchains stays the caller's. An empty value would let `go env -w`
// decide, so each has the value that is Go's default.
func environment(from []string, to arch) []string {
	fixed := []string{
		"GOOS=linux", "GOARCH=" + to.goarch, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", // what every Lambda host has
		"GOFLAGS=-mod=readonly", "GOWORK=off", "GOFIPS140=off",
	}
	drop := []string{"GOEXPERIMENT"} // has no value that means the default
	for _, v := range fixed {
		name, _, _ := strings.Cut(v, "=")
		drop = append(drop, name)
	}
	kept := slices.DeleteFunc(slices.Clone(from), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(drop, name)
	})
	return append(kept, fixed...)
}

// inspect reads back how the program was built, and refuses one that another machine
// would not build the same: a flag that is misspelt, or set by `go env -w`, shows here.
func inspect(program string, to arch) (*debug.BuildInfo, error) {
	made, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("read how it was built: %w", err)
	}
	got := map[string]string{}
	for _, s := range made.Settings {
		got[s.Key] = s.Value
	}
	var errs []error
	for _, want := range []debug.BuildSetting{
		{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: to.goarch}, {Key: "CGO_ENABLED", Value: "0"},
		{Key: "-trimpath", Value: "true"}, {Key: "-tags", Value: tags},
		{Key: "GOEXPERIMENT"}, {Key: "GOFIPS140"}, {Key: "vcs.revision"}, {Key: "-race"}, {Key: "-cover"},
	} {
		if got[want.Key] != want.Value {
			errs = append(errs, fmt.Errorf("it was built with %s=%q instead of %q: look at `go env`", want.Key, got[want.Key], want.Value))
		}
	}
	return made, errors.Join(errs...)
}

// services are the AWS services that the program has clients of.
func services(made *debug.BuildInfo) []string {
	var out []string
	for _, m := range made.Deps {
		if name, ok := strings.CutPrefix(m.Path, "github.com/aws/aws-sdk-go-v2/service/"); ok && !strings.Contains(name, "/") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
