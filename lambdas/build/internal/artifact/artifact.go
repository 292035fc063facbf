// Package artifact builds the functions' packages, the same bytes wherever it is run.
package artifact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// Functions are the folders below lambdas/ that become packages, in the order in
// which they are built. Terraform's module failover and package infra know the same
// names.
var Functions = []string{"health-monitor", "failover-trigger"}

// Limit is the largest package that is accepted, in bytes: 6 MB. Lambda itself takes
// 50 MB (Lambda quotas); a small one starts sooner, and growth is to be noticed.
const Limit = 6_000_000

// SumsFile is the name of the file of checksums, which `sha256sum -c` reads.
const SumsFile = "SHA256SUMS"

// Config says what is built.
type Config struct {
	// Module is the folder with go.mod. Default ".".
	Module string
	// Functions are folders below lambdas/ in the module. Default [Functions].
	Functions []string
	// Authorities is the PEM file that is packed as rds-ca.pem. Default [Authorities] in
	// the module, and without one nothing is packed: such a function logs in to no
	// Aurora unless LIFEBOAT_DATABASE_CA names a file that it finds otherwise.
	Authorities string
	// Go is the command that compiles. Default "go".
	Go string
	// Limit is the largest package in bytes. Default [Limit].
	Limit int
}

// Artifact is one package: a function for one architecture.
type Artifact struct {
	Name     string // health-monitor-arm64.zip
	Zip      []byte
	Unpacked int      // size of the program in bytes
	Go       string   // Go release that compiled it: another one gives other bytes
	Services []string // AWS services whose clients are linked in, sorted
	Trusts   bool     // RDS's authorities are in it
}

// arch is an architecture by Lambda's name and by Go's.
type arch struct{ lambda, goarch string }

// Lambda's names are what Terraform and infra.Config use.
var archs = []arch{{"arm64", "arm64"}, {"x86_64", "amd64"}}

// A function's name becomes part of paths.
var validName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (c Config) withDefaults() Config {
	if c.Module == "" {
		c.Module = "."
	}
	if c.Functions == nil {
		c.Functions = Functions
	}
	if c.Go == "" {
		c.Go = "go"
	}
	if c.Limit == 0 {
		c.Limit = Limit
	}
	return c
}

// Validate returns everything that is wrong with c, before anything is compiled.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	if _, err := os.Stat(filepath.Join(c.Module, "go.mod")); err != nil {
		errs = append(errs, fmt.Errorf("module %s: %w: run it in the module's folder or name that with -C", c.Module, err))
	}
	if len(c.Functions) == 0 {
		errs = append(errs, errors.New("no function is named"))
	}
	for i, f := range c.Functions {
		switch _, err := os.Stat(filepath.Join(c.Module, "lambdas", f)); {
		case !validName.MatchString(f):
			errs = append(errs, fmt.Errorf("function %q: a name is lower-case letters, digits and hyphens", f))
		case slices.Contains(c.Functions[:i], f):
			errs = append(errs, fmt.Errorf("function %s is named twice", f))
		case err != nil:
			errs = append(errs, fmt.Errorf("function %s: %w", f, err))
		}
	}
	if _, err := c.authoritiesOf(); err != nil {
		errs = append(errs, err)
	}
	if c.Limit < 0 {
		errs = append(errs, fmt.Errorf("limit %d is not a size", c.Limit))
	}
	return errors.Join(errs...)
}

// Build compiles and packs every function for every architecture. It returns all of
// them or, with everything that is wrong, none.
func Build(ctx context.Context, c Config) ([]Artifact, error) {
	c = c.withDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "lifeboat-lambdas-")
	if err != nil {
		return nil, fmt.Errorf("build the functions: %w", err)
	}
	defer os.RemoveAll(tmp)
	var (
		built []Artifact
		errs  []error
	)
	for _, f := range c.Functions {
		for _, to := range archs {
			a, err := one(ctx, c, f, to, filepath.Join(tmp, f+"-"+to.lambda))
			if ctx.Err() != nil {
				return nil, fmt.Errorf("build %s for %s: %w", f, to.lambda, ctx.Err())
			}
			built, errs = append(built, a), append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return built, nil
}

func one(ctx context.Context, c Config, function string, to arch, program string) (Artifact, error) {
	fail := func(err error) (Artifact, error) {
		return Artifact{}, fmt.Errorf("build %s for %s: %w", function, to.lambda, err)
	}
	if err := compile(ctx, c, function, to, program); err != nil {
		return fail(err)
	}
	made, err := inspect(program, to)
	if err != nil {
		return fail(err)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return fail(err)
	}
	ca, err := c.authoritiesOf()
	if err != nil {
		return fail(err)
	}
	packed, err := Pack(data, ca)
	if err != nil {
		return fail(err)
	}
	if len(packed) > c.Limit {
		return fail(fmt.Errorf("the package has %d bytes and may have %d: look for what came in with `go list -deps ./lambdas/%s`", len(packed), c.Limit, function))
	}
	return Artifact{
		Name: function + "-" + to.lambda + ".zip", Zip: packed, Unpacked: len(data),
		Go: made.GoVersion, Services: services(made), Trusts: ca != nil,
	}, nil
}
