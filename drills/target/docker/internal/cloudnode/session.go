package cloudnode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
)

// session opens a connection for one act: a kept one may lead to a server that
// has been restarted meanwhile.
func session(ctx context.Context, r Region, a mysqld.Account, f func(*sql.Conn) error) error {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.Net, cfg.Addr = a.User, a.Password, "tcp", r.Server.String()
	cfg.InterpolateParams = true
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return fmt.Errorf("cloudnode: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("cloudnode: connect to %s: %w", r.Name, err)
	}
	defer conn.Close()
	if err := f(conn); err != nil {
		return fmt.Errorf("cloudnode: %s: %w", r.Name, err)
	}
	return nil
}

func exec(ctx context.Context, c *sql.Conn, statements ...string) error {
	for _, text := range statements {
		if _, err := c.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// rows counts the rows of a query.
func rows(ctx context.Context, c *sql.Conn, query string) (n int, err error) {
	list, err := c.QueryContext(ctx, query)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	for list.Next() {
		n++
	}
	return n, errors.Join(list.Err(), list.Close())
}

// gone reports whether a session to be killed had ended by itself
// (ER_NO_SUCH_THREAD).
func gone(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && e.Number == 1094
}
