package docker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Labels of all that belongs to a run. Nothing without labelRun is ever removed.
const (
	labelRun  = "lifeboat.run"
	labelPID  = "lifeboat.pid"
	labelHost = "lifeboat.host"
)

// run identifies one fleet among those that an engine has, now or left over.
type run struct {
	id   string
	host string
	pid  int
}

func newRun() (run, error) {
	host, err := os.Hostname()
	if err != nil {
		return run{}, fmt.Errorf("docker: name this run: %w", err)
	}
	id := make([]byte, 4)
	rand.Read(id)
	return run{id: hex.EncodeToString(id), host: host, pid: os.Getpid()}, nil
}

// name returns an engine-wide name for a part of the run.
func (r run) name(part string) string {
	return "lifeboat-" + r.id + "-" + strings.ReplaceAll(part, "/", "-")
}

func (r run) labels() map[string]string {
	return map[string]string{labelRun: r.id, labelPID: strconv.Itoa(r.pid), labelHost: r.host}
}

// abandoned reports whether labels are those of a run whose process has ended.
// Of a process on another machine nothing is known, so its run is alive; and so is one
// whose label is no process at all: a negative number would ask for a group of them.
func (r run) abandoned(labels map[string]string) bool {
	pid, err := strconv.Atoi(labels[labelPID])
	if err != nil || pid < 1 || strconv.Itoa(pid) != labels[labelPID] || labels[labelHost] != r.host || pid == r.pid {
		return false
	}
	p, err := os.FindProcess(pid)
	return err == nil && errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// sweep removes what runs left behind whose process has ended: containers that
// have not noticed yet, and networks, which the engine doesn't remove.
func (e *engine) sweep(ctx context.Context, r run) error {
	containers, networks, err := e.labelled(ctx, labelRun)
	if err != nil {
		return err
	}
	var errs []error
	for id, labels := range containers {
		if r.abandoned(labels) {
			errs = append(errs, e.removeContainer(ctx, id))
		}
	}
	for id, labels := range networks {
		if r.abandoned(labels) {
			errs = append(errs, e.removeNetwork(ctx, id))
		}
	}
	return errors.Join(errs...)
}

// labelled returns the containers and networks that have label ("key" or
// "key=value"), by id, with all their labels.
func (e *engine) labelled(ctx context.Context, label string) (containers, networks map[string]map[string]string, err error) {
	filter := make(client.Filters).Add("label", label)
	cs, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, nil, fmt.Errorf("docker: list containers: %w", err)
	}
	ns, err := e.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return nil, nil, fmt.Errorf("docker: list networks: %w", err)
	}
	containers, networks = map[string]map[string]string{}, map[string]map[string]string{}
	for _, c := range cs.Items {
		containers[c.ID] = c.Labels
	}
	for _, n := range ns.Items {
		networks[n.ID] = n.Labels
	}
	return containers, networks, nil
}

// removeContainer kills and removes a container and its anonymous volumes.
// That it is gone, or that another process is removing it, is no error.
func (e *engine) removeContainer(ctx context.Context, id string) error {
	_, err := e.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
		return fmt.Errorf("docker: remove container %s: %w", id, err)
	}
	return eventually(ctx, func() error {
		_, err := e.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if errdefs.IsNotFound(err) {
			return nil
		}
		return errors.Join(fmt.Errorf("docker: container %s is still there", id), err)
	})
}

// removeNetwork removes a network, waiting for the last containers to leave it.
func (e *engine) removeNetwork(ctx context.Context, id string) error {
	return eventually(ctx, func() error {
		_, err := e.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
		if err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("docker: remove network %s: %w", id, err)
		}
		return nil
	})
}

// eventually repeats f until it succeeds or ctx ends, and returns f's last error.
func eventually(ctx context.Context, f func() error) error {
	const interval = 50 * time.Millisecond
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(interval):
		}
	}
}
