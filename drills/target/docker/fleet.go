package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
)

const (
	// upTimeout bounds Up once images are there. It takes some ten seconds, and minutes where a
	// busy machine builds the functions for the first time.
	upTimeout = 8 * time.Minute
	// closeTimeout bounds Close.
	closeTimeout = 3 * time.Minute
)

// Fleet is a set of running containers.
type Fleet struct {
	cfg      Config
	engine   *engine
	run      run
	networks map[string]string // ids by Region
	subnets  map[string]netip.Prefix
	nodes    []*Node
	byName   map[string]*Node

	stop  context.CancelFunc // ends lifelines, logs, signal handling
	tasks sync.WaitGroup     // what stop ends

	signalled chan struct{} // closed when the goroutine that waits for signals has ended

	closing sync.Once
	closed  error
}

// Up makes a fleet and returns when every role serves, and, with a Writer, the
// databases replicate. First it removes what ended test processes left behind.
// After an error nothing is left.
func Up(ctx context.Context, cfg Config) (*Fleet, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	run, err := newRun()
	if err != nil {
		return nil, err
	}
	e, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	mysql, err := e.mysqlImage(ctx, cfg.Image)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	tasks, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &Fleet{
		cfg: cfg, engine: e, run: run, stop: stop,
		networks: map[string]string{}, subnets: map[string]netip.Prefix{}, byName: map[string]*Node{},
		signalled: make(chan struct{}),
	}
	f.closeOnSignal(tasks)

	ctx, cancel := context.WithTimeout(ctx, upTimeout)
	defer cancel()
	// A Close by signal ends the start and waits for it, or it would miss what
	// the start still makes.
	context.AfterFunc(tasks, cancel)
	f.tasks.Add(1)
	err = f.up(ctx, tasks, mysql)
	f.tasks.Done()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *Fleet) up(ctx, tasks context.Context, mysql string) error {
	if err := f.engine.sweep(ctx, f.run); err != nil {
		return err
	}
	programs, err := build(ctx, f.engine.arch)
	if err != nil {
		return err
	}
	image, err := f.engine.nodeImage(ctx, programs)
	if err != nil {
		return err
	}
	if err := f.engine.pruneImages(ctx, image); err != nil {
		return err
	}
	for _, r := range f.cfg.Regions {
		id, subnet, err := f.engine.makeNetwork(ctx, f.run, r.Name)
		if err != nil {
			return err
		}
		f.networks[r.Name], f.subnets[r.Name] = id, subnet
	}
	if err := f.plan(mysql, image, programs[0]); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, n := range f.nodes {
		g.Go(func() error { return f.launch(gctx, tasks, n) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if f.cfg.Writer == "" {
		return nil
	}
	return f.arrange(ctx, f.cfg.Writer)
}

// launch makes and starts a node and waits until it serves.
func (f *Fleet) launch(ctx, tasks context.Context, n *Node) error {
	id, err := f.engine.create(ctx, f.run, n.spec)
	if err != nil {
		return err
	}
	n.id = id
	address, err := f.engine.start(ctx, id)
	if err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	n.client = control.NewClient(n.name, address)
	f.tasks.Go(func() {
		defer close(n.gone)
		// The output ends with the container, or with us.
		_ = f.engine.logs(tasks, id, n.output)
	})
	f.tasks.Go(func() { n.hold(tasks) })
	return n.ready(ctx)
}

// Run returns the id of this fleet, which its containers and networks carry as
// the label lifeboat.run.
func (f *Fleet) Run() string { return f.run.id }

// Node returns the node named name.
func (f *Fleet) Node(name string) (*Node, error) {
	n, ok := f.byName[name]
	if !ok {
		return nil, fmt.Errorf("docker: no node %q in this fleet", name)
	}
	return n, nil
}

// Nodes returns all nodes: databases, links, and then those of Config.Nodes.
func (f *Fleet) Nodes() []*Node { return slices.Clone(f.nodes) }

// In returns the nodes that stand in region alone: all but the links.
func (f *Fleet) In(region string) []*Node {
	return slices.DeleteFunc(f.Nodes(), func(n *Node) bool { return n.region != region || n.spec.link })
}

// Subnet returns the network of a Region.
func (f *Fleet) Subnet(region string) netip.Prefix { return f.subnets[region] }

// Database returns the MySQL server of a Region.
func (f *Fleet) Database(region string) (*Database, error) {
	n, err := f.Node(databaseName(region))
	if err != nil {
		return nil, err
	}
	return &Database{n}, nil
}

// Road returns the link between two Regions, in either order.
func (f *Fleet) Road(a, b string) (*Road, error) {
	n, err := f.Node(linkName(a, b))
	if err != nil {
		return nil, err
	}
	return &Road{n}, nil
}

// Probe returns the node named name, which must have the role "probe".
func (f *Fleet) Probe(name string) (*Probe, error) {
	n, err := f.Node(name)
	if err != nil {
		return nil, err
	}
	if n.spec.config.Role != "probe" {
		return nil, fmt.Errorf("docker: node %s is a %s and no probe", name, n.spec.config.Role)
	}
	return &Probe{n}, nil
}

// Reset heals every fault on every node and gives the databases an empty
// history with writer as the one that is writable. It takes a few seconds.
// What other roles keep is theirs to reset.
func (f *Fleet) Reset(ctx context.Context, writer string) error {
	g, gctx := errgroup.WithContext(ctx)
	for _, n := range f.nodes {
		g.Go(func() error {
			if _, err := n.Heal(gctx, "*"); err != nil {
				return err
			}
			switch {
			case n.spec.link:
				return (&Road{n}).clearLag(gctx, n.spec.flows)
			case n.spec.database:
				_, err := (&Database{n}).Reset(gctx)
				return err
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return f.arrange(ctx, writer)
}

// arrange makes every database but writer's replicate from it, and opens it.
// All of them have an empty history.
func (f *Fleet) arrange(ctx context.Context, writer string) error {
	source, err := f.Database(writer)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	replicas := 0
	for _, n := range f.nodes {
		if !n.spec.database || n.region == writer {
			continue
		}
		replicas++
		g.Go(func() error {
			d := &Database{n}
			if err := d.Replicate(gctx, source.Endpoint()); err != nil {
				return err
			}
			return d.replicating(gctx)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := source.shipping(ctx, replicas); err != nil {
		return err
	}
	return source.Open(ctx)
}

// Close removes every container and network of the fleet and waits until they
// are gone. It works whatever state they are in; calling it again returns the
// first call's result.
func (f *Fleet) Close() error {
	f.stop()
	<-f.signalled
	return f.shut()
}

func (f *Fleet) shut() error {
	f.closing.Do(func() {
		f.stop()
		f.tasks.Wait()
		f.closed = errors.Join(f.remove(), f.engine.Close())
	})
	return f.closed
}

func (f *Fleet) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	// The engine is asked, because a start that failed may have left more, or
	// less, than we know of.
	containers, networks, err := f.engine.labelled(ctx, labelRun+"="+f.run.id)
	if err != nil {
		return err
	}
	var g errgroup.Group
	for id := range containers {
		g.Go(func() error { return f.engine.removeContainer(ctx, id) })
	}
	err = g.Wait()
	for id := range networks {
		err = errors.Join(err, f.engine.removeNetwork(ctx, id))
	}
	for _, n := range f.nodes {
		if n.client != nil {
			n.client.Close()
		}
	}
	return err
}

// closeOnSignal closes the fleet on Ctrl-C or SIGTERM, until ctx ends, and then
// lets the signal do what it would have done.
func (f *Fleet) closeOnSignal(ctx context.Context) {
	if f.cfg.KeepSignals {
		close(f.signalled)
		return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer close(f.signalled)
		defer signal.Stop(signals)
		select {
		case <-ctx.Done():
		case sig := <-signals:
			if err := f.shut(); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			signal.Stop(signals)
			// Others may have asked for the signal too; they get theirs.
			if p, err := os.FindProcess(os.Getpid()); err == nil {
				_ = p.Signal(sig)
			}
		}
	}()
}

func databaseName(region string) string { return region + "/db" }

func linkName(a, b string) string {
	p := pair(a, b)
	return p[0] + "/link/" + p[1]
}
