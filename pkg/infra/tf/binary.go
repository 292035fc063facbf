package tf

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

const (
	// MinVersion is the oldest version that runs the rendered units: write-only
	// attributes keep the master password out of the state, and S3 lock files need
	// no table. OpenTofu has both since the same number.
	MinVersion = "1.11.0"
	// InstallVersion is what [Find] installs when asked to. It is exact, so that two
	// machines don't differ.
	InstallVersion = "1.11.4"
)

// Flavour is whose binary it is.
type Flavour string

// The flavours.
const (
	Terraform Flavour = "terraform"
	OpenTofu  Flavour = "opentofu"
)

// Binary is a terraform that can run the units.
type Binary struct {
	Path    string // absolute
	Version string // such as "1.11.4"
	Flavour Flavour
}

// FindOptions says where to look. The zero value looks on PATH.
type FindOptions struct {
	// ExecPath is the binary to use, and the only one that is looked at.
	ExecPath string
	// Install permits a download of InstallVersion from releases.hashicorp.com when
	// PATH has no terraform. Its signature and checksum are verified.
	Install bool
	// InstallDir is where it goes; it must exist. Default: a new temporary folder,
	// which the caller removes.
	InstallDir string
	// BaseURL is a mirror of https://releases.hashicorp.com.
	BaseURL string
	// HTTPClient downloads, for a proxy or a CA of one's own.
	HTTPClient *http.Client
	// Environ is the environment to run in and whose PATH is searched. Default:
	// os.Environ().
	Environ []string
}

// Find returns a terraform of at least [MinVersion]: the one at ExecPath, else the
// one on PATH, else, only when Install is set, a downloaded one. A binary on PATH that
// is too old is an error even then: nothing is replaced silently. The error matches
// [ErrNotFound] or is a [*VersionError].
func Find(ctx context.Context, o FindOptions) (Binary, error) {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	env := CleanEnv(o.Environ)
	path := o.ExecPath
	if path == "" {
		path = lookPath(env["PATH"])
	}
	switch {
	case path == "" && !o.Install:
		return Binary{}, fmt.Errorf("tf: find terraform: %w on PATH: install %s or newer, name one by its path, or permit a download", ErrNotFound, MinVersion)
	case path == "":
		var err error
		if path, err = install(ctx, o); err != nil {
			return Binary{}, err
		}
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return Binary{}, fmt.Errorf("tf: find terraform: %s: %w", path, err)
	}
	if info, err := os.Stat(path); err != nil {
		return Binary{}, fmt.Errorf("tf: find terraform: %w at %s: %v", ErrNotFound, path, err)
	} else if info.IsDir() || info.Mode()&0o111 == 0 {
		return Binary{}, fmt.Errorf("tf: find terraform: %w at %s: it can't be executed", ErrNotFound, path)
	}
	return inspect(ctx, path, flatten(env))
}

// lookPath searches the PATH of the environment that terraform will get.
func lookPath(path string) string {
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue // what os/exec refuses as well
		}
		file := filepath.Join(dir, "terraform")
		if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return file
		}
	}
	return ""
}

// inspect asks a binary what it is.
func inspect(ctx context.Context, path string, env []string) (Binary, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	// In a folder without a lock file, or the answer would list its providers.
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env, cmd.Dir = env, os.TempDir()
		cmd.WaitDelay = time.Second
		out, err := cmd.Output()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("tf: find terraform: ask %s for its version: %w", path, context.Cause(ctx))
		}
		return out, err
	}
	asJSON, err := run("version", "-json")
	if ctx.Err() != nil {
		return Binary{}, err
	}
	if err != nil {
		asJSON = nil // binaries before 0.13 don't know -json; they are too old anyway
	}
	plain, err := run("version")
	if ctx.Err() != nil {
		return Binary{}, err
	}
	return identify(path, asJSON, plain)
}

func install(ctx context.Context, o FindOptions) (string, error) {
	source := &releases.ExactVersion{
		Product: product.Terraform, Version: version.Must(version.NewVersion(InstallVersion)),
		InstallDir: o.InstallDir, ApiBaseURL: o.BaseURL, HTTPClient: o.HTTPClient,
	}
	if err := source.Validate(); err != nil {
		return "", fmt.Errorf("tf: install terraform %s: %w", InstallVersion, err)
	}
	path, err := source.Install(ctx)
	if err != nil {
		return "", fmt.Errorf("tf: install terraform %s: %w: check the network or the proxy, or install it by hand and name its path",
			InstallVersion, errors.Join(ErrNotFound, err))
	}
	return path, nil
}
