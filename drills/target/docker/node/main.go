//go:build linux

// Command node is what runs in every container of the docker target. One static
// binary holds all roles; the configuration in LIFEBOAT_NODE picks one.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clients"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/cloudnode"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/functions"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/host"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/link"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/probe"
)

// roles is the table of what a container can be.
func roles() map[string]host.Role {
	return map[string]host.Role{
		"clients": clients.Role,
		"cloud":   cloudnode.Role,
		"db":      mysqld.Role,
		"lambda":  functions.Role,
		"link":    link.Role,
		"probe":   probe.Role,
	}
}

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg, err := host.FromEnvironment()
	if err != nil {
		log.Error("start", "err", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := host.Run(ctx, cfg, roles(), log); err != nil {
		log.Error("end", "err", err)
		os.Exit(1)
	}
}
