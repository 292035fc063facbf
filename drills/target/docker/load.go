package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clients"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

const (
	// opsInterval is how often the nodes are asked for writes that have ended.
	opsInterval = 200 * time.Millisecond
	// stopTimeout bounds the end of the load; the last write has DefaultTimeout.
	stopTimeout = 10 * time.Second
	// idsPerClient keeps the clients' ids apart.
	idsPerClient = 1_000_000_000
)

// Load implements drill.Clients: the nodes write, this process reads along.
func (w *world) Load(ctx context.Context, done func(workload.Op)) ([]workload.Op, error) {
	if done == nil {
		done = func(workload.Op) {}
	}
	loads := w.loads()
	if err := w.watchWritable(ctx); err != nil {
		return nil, err
	}
	for r, l := range loads {
		if err := w.call(ctx, clientsName(r), "/load/start", nil, l, nil); err != nil {
			return nil, err
		}
	}
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		ops  []workload.Op
		errs []error
	)
	for r := range loads {
		all.Go(func() {
			mine, err := w.follow(ctx, r, func(op workload.Op) {
				mu.Lock()
				defer mu.Unlock()
				done(op)
			})
			mu.Lock()
			defer mu.Unlock()
			ops, errs = append(ops, mine...), append(errs, err)
		})
	}
	all.Wait()
	return ops, errors.Join(errs...)
}

// loads returns what each Region's node has to run.
func (w *world) loads() map[dr.Region]*clients.Load {
	out := map[dr.Region]*clients.Load{}
	for i, c := range w.setup.Clients {
		l := out[c.Region]
		if l == nil {
			l = &clients.Load{
				Origin: w.origin, Endpoint: w.endpoint(), DNS: w.at(c.Region),
				User: mysqld.App.User, Password: mysqld.App.Password, Servers: w.servers,
			}
			out[c.Region] = l
		}
		one := clients.Client{Name: c.Name, Region: c.Region, Rate: c.Rate, FirstID: int64(i+1) * idsPerClient, Sessions: w.target.opt.Sessions}
		if c.Pinned {
			one.Pinned = w.database(c.Region).Endpoint().String()
		}
		l.Clients = append(l.Clients, one)
	}
	return out
}

// database returns the MySQL server of a member.
func (w *world) database(r dr.Region) *Database {
	return &Database{w.fleet.byName[databaseName(r.String())]}
}

// follow reads the ops of one node until ctx ends, then stops its clients.
func (w *world) follow(ctx context.Context, r dr.Region, done func(workload.Op)) ([]workload.Op, error) {
	node, err := w.fleet.Node(clientsName(r))
	if err != nil {
		return nil, err
	}
	told := 0
	tick := time.NewTicker(opsInterval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-tick.C:
		}
		var news clients.Ops
		if err := node.Get(ctx, "/load/ops?since="+strconv.Itoa(told), &news); err != nil {
			if ctx.Err() != nil {
				break
			}
			return nil, err
		}
		for _, op := range news.Ops {
			done(op)
		}
		told = news.Next
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	var all clients.Ops
	if err := node.Call(end, "/load/stop", nil, nil, &all); err != nil {
		return nil, err
	}
	for _, op := range all.Ops[told:] {
		done(op)
	}
	return all.Ops, nil
}

// Survivors implements drill.Clients.
func (w *world) Survivors(ctx context.Context, r dr.Region) ([]int64, error) {
	db, err := w.fleet.Database(r.String())
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, "SELECT id FROM lifeboat.writes ORDER BY id")
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(rows.Rows))
	for i, row := range rows.Rows {
		if ids[i], err = strconv.ParseInt(*row[0], 10, 64); err != nil {
			return nil, fmt.Errorf("docker: row %d on %s: %w", i, r, err)
		}
	}
	return ids, nil
}
