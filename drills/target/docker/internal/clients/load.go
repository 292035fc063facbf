package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

// writers run the clients of one node.
type writers struct {
	stop context.CancelFunc
	done chan struct{} // closed after err is set

	mu  sync.Mutex
	ops []workload.Op
	err error
}

// start starts every client of l; they end with stop, or with ctx.
func start(ctx context.Context, l Load) (*writers, error) {
	now := since(l.Origin)
	resolver, err := workload.NewResolver(workload.ResolverConfig{Server: l.DNS, Clock: now})
	if err != nil {
		return nil, err
	}
	w := &writers{done: make(chan struct{})}
	var loads []workload.Load
	var sessions []*workload.MySQL
	for _, c := range l.Clients {
		cfg := workload.MySQLConfig{
			Client: c.Name, Resolver: resolver, Pinned: c.Pinned, Servers: l.Servers, User: l.User, Password: l.Password,
			MaxOpen: c.Sessions,
		}
		if c.Pinned == "" {
			cfg.Endpoint = l.Endpoint
		}
		s, err := workload.NewMySQL(cfg)
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, s)
		load := workload.Load{
			Client: c.Name, Region: c.Region, Rate: c.Rate, FirstID: c.FirstID, Session: s, Clock: now, Done: w.add,
		}
		if err := load.Validate(); err != nil {
			return nil, err
		}
		loads = append(loads, load)
	}
	ctx, w.stop = context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, load := range loads {
		all.Go(func() {
			// The ops come through add as they end.
			if _, err := load.Run(ctx); err != nil {
				w.mu.Lock()
				w.err = errors.Join(w.err, err)
				w.mu.Unlock()
			}
		})
	}
	go func() {
		defer close(w.done)
		all.Wait()
		for _, s := range sessions {
			_ = s.Close() // every write has ended; nothing depends on the goodbye
		}
	}()
	return w, nil
}

// since returns the run's clock.
func since(origin int64) workload.Clock {
	return func() time.Duration { return time.Duration(clock.Monotonic() - origin) }
}

func (w *writers) add(op workload.Op) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops = append(w.ops, op)
}

// after returns the ops that ended after the first n.
func (w *writers) after(n int) (Ops, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n < 0 || n > len(w.ops) {
		return Ops{}, fmt.Errorf("clients: since is %d: there are %d ops", n, len(w.ops))
	}
	return Ops{Ops: slices.Clone(w.ops[n:]), Next: len(w.ops)}, nil
}

func (w *writers) counts() Counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := Counts{}
	for _, op := range w.ops {
		c[op.Outcome]++
	}
	return c
}

// end stops the clients and waits for every write that is still out.
func (w *writers) end(ctx context.Context) error {
	w.stop()
	select {
	case <-w.done:
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("clients: wait for the last writes: %w", ctx.Err())
	}
}
