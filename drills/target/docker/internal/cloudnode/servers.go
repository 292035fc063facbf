package cloudnode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// servers lets the emulated control plane act on real MySQL servers: with the
// admin account over the network, and by their supervisors.
type servers struct {
	cfg   Config
	ctx   context.Context // of what outlives the call that asked for it
	tasks sync.WaitGroup  // which ends with ctx

	mu      sync.Mutex
	silent  map[dr.Region]bool // Regions where nothing can be reached
	changed chan struct{}      // closed and replaced when silent changes
}

var _ cloud.Servers = (*servers)(nil)

func newServers(ctx context.Context, cfg Config) *servers {
	return &servers{ctx: ctx, cfg: cfg, silent: map[dr.Region]bool{}, changed: make(chan struct{})}
}

// silence says whether anything in a Region can be reached. Supervisors can be,
// whatever is cut; a control plane could not.
func (s *servers) silence(r dr.Region, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent[r] = on
	close(s.changed)
	s.changed = make(chan struct{})
}

// reach returns a Region with a server, after the end of its silence.
func (s *servers) reach(ctx context.Context, name dr.Region) (Region, error) {
	for {
		s.mu.Lock()
		silent, changed := s.silent[name], s.changed
		s.mu.Unlock()
		if !silent {
			break
		}
		select {
		case <-ctx.Done():
			return Region{}, fmt.Errorf("cloudnode: reach %s: %w", name, ctx.Err())
		case <-changed:
		}
	}
	for _, r := range s.cfg.members() {
		if r.Name == name {
			return r, nil
		}
	}
	return Region{}, fmt.Errorf("cloudnode: %s has no server", name)
}

// Promote implements cloud.Servers. The server is opened as soon as it applies
// nothing more; what is left of its replication is removed afterwards, because a
// receiver that is waiting for a silent source can take seconds to stop.
func (s *servers) Promote(ctx context.Context, target dr.Region, dataLoss bool) error {
	r, err := s.reach(ctx, target)
	if err != nil {
		return err
	}
	must := ""
	if !dataLoss {
		if must, err = s.committed(ctx, target); err != nil {
			return err
		}
	}
	return session(ctx, r, s.cfg.Admin, func(c *sql.Conn) error {
		replica, err := rows(ctx, c, "SHOW REPLICA STATUS")
		if err != nil {
			return err
		}
		if replica > 0 {
			if err := detach(ctx, c, must); err != nil {
				return err
			}
			defer s.cleanUp(r)
		}
		return exec(ctx, c, "SET GLOBAL read_only = OFF") // which turns super_read_only off too
	})
}

// committed returns the GTID set of the other server, the writer.
func (s *servers) committed(ctx context.Context, target dr.Region) (set string, err error) {
	for _, r := range s.cfg.members() {
		if r.Name == target {
			continue
		}
		if r, err = s.reach(ctx, r.Name); err != nil {
			return "", err
		}
		err = session(ctx, r, s.cfg.Admin, func(c *sql.Conn) error {
			return c.QueryRowContext(ctx, "SELECT @@global.gtid_executed").Scan(&set)
		})
	}
	return set, err
}

// detach applies what a replica has received and ends its applying. First it waits
// for the GTID set must, if there is one.
func detach(ctx context.Context, c *sql.Conn, must string) error {
	if err := applied(ctx, c, must); err != nil {
		return err
	}
	var received string
	err := c.QueryRowContext(ctx, "SELECT received_transaction_set FROM performance_schema.replication_connection_status").Scan(&received)
	if err != nil {
		return err
	}
	if err := applied(ctx, c, received); err != nil {
		return err
	}
	return exec(ctx, c, "STOP REPLICA SQL_THREAD")
}

// cleanUp removes the replication of a promoted server, in the background, until
// it is done or the control plane ends.
func (s *servers) cleanUp(r Region) {
	s.tasks.Go(func() {
		const interval = 200 * time.Millisecond
		for {
			err := session(s.ctx, r, s.cfg.Admin, func(c *sql.Conn) error {
				return exec(s.ctx, c, "STOP REPLICA", "RESET REPLICA ALL")
			})
			if err == nil {
				return
			}
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(interval):
			}
		}
	})
}

// applied waits until the server has executed a GTID set.
func applied(ctx context.Context, c *sql.Conn, set string) error {
	if set == "" {
		return nil
	}
	// The server needs a limit of its own, or it would go on after we have left.
	limit := promoteTimeout
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end))
	}
	var late bool
	if err := c.QueryRowContext(ctx, "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)", set, limit.Seconds()).Scan(&late); err != nil {
		return err
	}
	if late {
		return fmt.Errorf("not applied in %v: %s", limit.Round(time.Millisecond), strings.ReplaceAll(set, "\n", ""))
	}
	return nil
}

// Fence implements cloud.Servers.
func (s *servers) Fence(ctx context.Context, old dr.Region) error {
	r, err := s.reach(ctx, old)
	if err != nil {
		return err
	}
	return session(ctx, r, s.cfg.Admin, func(c *sql.Conn) error {
		if err := exec(ctx, c, "SET GLOBAL super_read_only = ON"); err != nil {
			return err
		}
		return s.endSessions(ctx, c)
	})
}

// endSessions disconnects the applications.
func (s *servers) endSessions(ctx context.Context, c *sql.Conn) error {
	list, err := c.QueryContext(ctx, "SELECT id, user FROM performance_schema.processlist WHERE user IS NOT NULL")
	if err != nil {
		return err
	}
	var ids []uint64
	for list.Next() {
		var id uint64
		var user string
		if err := list.Scan(&id, &user); err != nil {
			return errors.Join(err, list.Close())
		}
		if slices.ContainsFunc(s.cfg.Apps, func(a mysqld.Account) bool { return a.User == user }) {
			ids = append(ids, id)
		}
	}
	if err := errors.Join(list.Err(), list.Close()); err != nil {
		return err
	}
	for _, id := range ids {
		if err := exec(ctx, c, fmt.Sprintf("KILL CONNECTION %d", id)); err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// Rejoin implements cloud.Servers: the old primary is emptied and fills itself
// from the writer's binary log. A server that isn't running is not touched: its
// host is not there.
func (s *servers) Rejoin(ctx context.Context, old, writer dr.Region) error {
	from, err := s.reach(ctx, writer)
	if err != nil {
		return err
	}
	r, err := s.reach(ctx, old)
	if err != nil {
		return err
	}
	supervisor := control.NewClient(old.String(), r.Control.String())
	defer supervisor.Close()
	var st mysqld.Status
	if err := supervisor.Get(ctx, "/db/status", &st); err != nil {
		return err
	}
	if st.State != mysqld.Running {
		return fmt.Errorf("cloudnode: rejoin %s: its server is %s", old, st.State)
	}
	if err := supervisor.Call(ctx, "/db/reset", nil, nil, nil); err != nil {
		return err
	}
	if err := supervisor.Call(ctx, "/db/replicate", url.Values{"source": {from.Server.String()}}, nil, nil); err != nil {
		return err
	}
	must, err := s.committed(ctx, old)
	if err != nil {
		return err
	}
	return session(ctx, r, s.cfg.Admin, func(c *sql.Conn) error { return applied(ctx, c, must) })
}

// Reboot implements cloud.Servers. It returns when the server answers again: for
// one on a frozen host, not before the thaw.
func (s *servers) Reboot(ctx context.Context, name dr.Region) error {
	r, err := s.reach(ctx, name)
	if err != nil {
		return err
	}
	supervisor := control.NewClient(name.String(), r.Control.String())
	defer supervisor.Close()
	if err := supervisor.Call(ctx, "/db/reboot", nil, nil, nil); err != nil {
		return err
	}
	const interval = 100 * time.Millisecond
	for {
		var st mysqld.Status
		err := supervisor.Get(ctx, "/db/status", &st)
		if err == nil && st.State == mysqld.Running && !st.RebootPending {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cloudnode: reboot %s: its server is %s: %w", name, st.State, ctx.Err())
		case <-time.After(interval):
		}
	}
}
