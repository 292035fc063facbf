package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
)

const (
	module      = "github.com/lifeboat-dr/lifeboat"
	nodePackage = module + "/drills/target/docker/node"
	nodeFile    = "lifeboat-node"
)

// program is a binary of an image.
type program struct {
	pkg, file string
	args, env []string // of go build
}

// programs are the node and the functions, these built as lambdas/build builds the
// packages that are deployed: its flags, its settings, and so its bytes, on a machine
// whose Go is the one that go.mod names.
func programs() []program {
	all := []program{{
		pkg: nodePackage, file: "/" + nodeFile,
		// Without debug data and paths the binary is smaller and the same everywhere.
		args: []string{"-ldflags", "-s -w"},
	}}
	for _, name := range functions.Names {
		all = append(all, program{
			pkg: module + "/lambdas/" + name, file: functions.Binary(functions.Folder, name),
			args: []string{"-tags", "lambda.norpc", "-ldflags", "-s -w -buildid="},
			env:  []string{"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOFIPS140=off"},
		})
	}
	return all
}

// build builds the programs of the node image for Linux on arch, the node first. The go
// command must be on the PATH, as it is under go test; its build cache makes the
// second build a matter of linking.
func build(ctx context.Context, arch string) ([]File, error) {
	dir, err := os.MkdirTemp("", "lifeboat-node-")
	if err != nil {
		return nil, fmt.Errorf("docker: build: %w", err)
	}
	defer os.RemoveAll(dir)
	all := programs()
	files := make([]File, len(all))
	g, ctx := errgroup.WithContext(ctx)
	for i, p := range all {
		g.Go(func() error {
			out := filepath.Join(dir, fmt.Sprint(i))
			if err := p.build(ctx, arch, out); err != nil {
				return fmt.Errorf("docker: build %s: %w", p.pkg, err)
			}
			content, err := os.ReadFile(out)
			files[i] = File{Path: p.file, Content: content, Mode: 0o755}
			return err
		})
	}
	return files, g.Wait()
}

func (p program) build(ctx context.Context, arch, out string) error {
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", out}, p.args...)
	cmd := exec.CommandContext(ctx, "go", append(args, p.pkg)...)
	cmd.Env = append(append(os.Environ(), p.env...), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w; put the go command on the PATH", err)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, text.Bytes())
	}
	return nil
}
