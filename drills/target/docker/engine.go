package docker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// ErrNoEngine says that no Docker engine answers.
var ErrNoEngine = errors.New("docker: no Docker engine answers")

// Preflight checks that a fleet can be made: an engine answers, it runs Linux
// containers, and the MySQL image is there or can be pulled, which it does.
// The error says what to do.
func Preflight(ctx context.Context) error {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	_, err = e.mysqlImage(ctx, "")
	return err
}

// engine is the Docker engine in use.
type engine struct {
	client.APIClient
	provider *testcontainers.DockerProvider
	arch     string // as in GOARCH
	// host is where the engine's published ports are reached.
	host string
}

// connect finds the engine where testcontainers does: DOCKER_HOST, the current
// context, rootless sockets. It uses testcontainers for that and for pulling
// with the user's registry credentials; its own reaper container is not
// needed, because our containers end by themselves.
func connect(ctx context.Context) (*engine, error) {
	advice := "start Docker, or set DOCKER_HOST to an engine that runs"
	provider, err := newProvider()
	if err != nil {
		return nil, fmt.Errorf("%w: %w; %s", ErrNoEngine, err, advice)
	}
	c := provider.Client()
	// testcontainers goes on to other engines when the one that was asked for
	// doesn't answer. A drill breaks things, so it doesn't look around.
	if asked := os.Getenv("DOCKER_HOST"); asked != "" && asked != c.DaemonHost() {
		return nil, errors.Join(fmt.Errorf("%w at DOCKER_HOST=%s; %s", ErrNoEngine, asked, advice), provider.Close())
	}
	e := &engine{APIClient: c, provider: provider, host: publishedHost(c.DaemonHost())}
	info, err := c.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("%w: %w; %s", ErrNoEngine, err, advice)
	}
	if info.Os != "linux" {
		e.Close()
		return nil, fmt.Errorf("docker: the engine runs %s containers; switch it to Linux containers", info.Os)
	}
	e.arch = info.Arch
	return e, nil
}

// newProvider makes testcontainers speak through its error alone: it greets
// each engine with ten lines on stderr, and reports some missing ones by panic.
func newProvider() (p *testcontainers.DockerProvider, err error) {
	logger := log.Default()
	log.SetDefault(log.NewNoopLogger())
	defer log.SetDefault(logger)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return testcontainers.NewDockerProvider()
}

func (e *engine) Close() error { return e.provider.Close() }

// publishedHost returns where ports are that an engine at daemon publishes.
// TESTCONTAINERS_HOST_OVERRIDE is for a test that runs in a container itself.
func publishedHost(daemon string) string {
	if h := os.Getenv("TESTCONTAINERS_HOST_OVERRIDE"); h != "" {
		return h
	}
	if u, err := url.Parse(daemon); err == nil && (u.Scheme == "tcp" || strings.HasPrefix(u.Scheme, "http")) {
		return u.Hostname()
	}
	return "127.0.0.1"
}
