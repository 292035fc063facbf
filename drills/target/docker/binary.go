package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	nodePackage = "github.com/lifeboat-dr/lifeboat/drills/target/docker/node"
	nodeFile    = "lifeboat-node"
)

// buildNode builds the node binary for Linux on arch and returns it. The go
// command must be on the PATH, as it is under go test; its build cache makes
// the second build a matter of linking.
func buildNode(ctx context.Context, arch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "lifeboat-node-")
	if err != nil {
		return nil, fmt.Errorf("docker: build node: %w", err)
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, nodeFile)
	// Without debug data and paths the binary is smaller and the same everywhere.
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", out, nodePackage)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("docker: build node: %w; put the go command on the PATH", err)
		}
		return nil, fmt.Errorf("docker: build node: %w\n%s", err, text.Bytes())
	}
	return os.ReadFile(out)
}
