package docker

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
)

// DatabaseStatus says what a MySQL server process is doing.
type DatabaseStatus = mysqld.Status

// Rows is the answer to a query.
type Rows = mysqld.Rows

// Database is the node of a MySQL server. Its methods reach the server's
// supervisor, and SQL through the server's own socket, whatever is cut.
type Database struct{ *Node }

// Endpoint returns where clients find the server.
func (d *Database) Endpoint() netip.AddrPort { return netip.AddrPortFrom(d.addr, mysqld.Port) }

// Status returns what the server process is doing.
func (d *Database) Status(ctx context.Context) (DatabaseStatus, error) {
	var st DatabaseStatus
	err := d.Get(ctx, "/db/status", &st)
	return st, err
}

// Start starts the server, read-only, and waits until it answers.
func (d *Database) Start(ctx context.Context) (DatabaseStatus, error) {
	return d.act(ctx, "start", nil)
}

// Kill ends the server with SIGKILL; its clients' connections are reset.
func (d *Database) Kill(ctx context.Context) (DatabaseStatus, error) { return d.act(ctx, "kill", nil) }

// Freeze stops the server with SIGSTOP. With host it stands for a frozen host,
// which Reboot doesn't reach before the thaw.
func (d *Database) Freeze(ctx context.Context, host bool) (DatabaseStatus, error) {
	return d.act(ctx, "freeze", url.Values{"host": {strconv.FormatBool(host)}})
}

// Thaw ends a freeze. If a reboot is pending, the server is killed without
// running again, and restarted read-only.
func (d *Database) Thaw(ctx context.Context) (DatabaseStatus, error) { return d.act(ctx, "thaw", nil) }

// Reboot cuts the server's port, kills the server, and returns; the server
// then starts, read-only, and its port is opened again. From the return on
// the old process acknowledges nothing, also when the host is frozen.
func (d *Database) Reboot(ctx context.Context) (DatabaseStatus, error) {
	return d.act(ctx, "reboot", nil)
}

// Reset gives the server an empty history: it is killed, its data directory is
// replaced by the pristine one, and it starts read-only.
func (d *Database) Reset(ctx context.Context) (DatabaseStatus, error) {
	return d.act(ctx, "reset", nil)
}

// Replicate makes the server follow source from where its own GTID set ends.
func (d *Database) Replicate(ctx context.Context, source netip.AddrPort) error {
	_, err := d.act(ctx, "replicate", url.Values{"source": {source.String()}})
	return err
}

// Exec runs statements in order on one connection, as root.
func (d *Database) Exec(ctx context.Context, statements ...string) error {
	return d.Call(ctx, "/db/exec", nil, mysqld.Statements{SQL: statements}, nil)
}

// Query runs statements like Exec and returns the rows of the last one.
func (d *Database) Query(ctx context.Context, statements ...string) (Rows, error) {
	var rows Rows
	err := d.Call(ctx, "/db/query", nil, mysqld.Statements{SQL: statements}, &rows)
	return rows, err
}

// Open makes the server writable.
func (d *Database) Open(ctx context.Context) error {
	return d.Exec(ctx, "SET GLOBAL read_only=OFF") // which turns super_read_only off too
}

// replicating waits until the server receives and applies from its source.
func (d *Database) replicating(ctx context.Context) error {
	const interval = 50 * time.Millisecond
	for {
		rows, err := d.Query(ctx, "SELECT c.SERVICE_STATE, a.SERVICE_STATE, c.LAST_ERROR_MESSAGE "+
			"FROM performance_schema.replication_connection_status c JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME)")
		if err != nil {
			return err
		}
		state := "no source is configured"
		if len(rows.Rows) == 1 {
			r := rows.Rows[0]
			if *r[0] == "ON" && *r[1] == "ON" {
				return nil
			}
			state = fmt.Sprintf("receiver %s, applier %s %s", *r[0], *r[1], *r[2])
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("docker: %s does not replicate: %s: %w", d.name, state, ctx.Err())
		case <-time.After(interval):
		}
	}
}

// shipping waits until the server sends its binary log to replicas. A receiver
// is ON ten round trips before it has agreed with its source on how to go on.
func (d *Database) shipping(ctx context.Context, replicas int) error {
	const interval = 50 * time.Millisecond
	for {
		rows, err := d.Query(ctx, "SELECT COUNT(*) FROM performance_schema.processlist WHERE COMMAND = 'Binlog Dump GTID'")
		if err != nil {
			return err
		}
		n := *rows.Rows[0][0]
		if n == strconv.Itoa(replicas) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("docker: %s sends its log to %s replicas, not %d: %w", d.name, n, replicas, ctx.Err())
		case <-time.After(interval):
		}
	}
}

func (d *Database) act(ctx context.Context, verb string, query url.Values) (DatabaseStatus, error) {
	var st DatabaseStatus
	err := d.Call(ctx, "/db/"+verb, query, nil, &st)
	return st, err
}
