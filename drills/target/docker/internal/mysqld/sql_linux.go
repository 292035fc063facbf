package mysqld

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

// Exec runs statements in order on one connection, as root through the socket.
func (s *Server) Exec(ctx context.Context, statements ...string) error {
	return s.session(ctx, func(conn *sql.Conn) error {
		for _, text := range statements {
			if _, err := conn.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("mysqld: %s: %w", text, err)
			}
		}
		return nil
	})
}

// Query runs statements like Exec and returns the rows of the last one.
func (s *Server) Query(ctx context.Context, statements ...string) (Rows, error) {
	var result Rows
	if len(statements) == 0 {
		return result, fmt.Errorf("mysqld: query without a statement")
	}
	last := len(statements) - 1
	err := s.session(ctx, func(conn *sql.Conn) error {
		for _, text := range statements[:last] {
			if _, err := conn.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("mysqld: %s: %w", text, err)
			}
		}
		rows, err := conn.QueryContext(ctx, statements[last])
		if err != nil {
			return fmt.Errorf("mysqld: %s: %w", statements[last], err)
		}
		defer rows.Close()
		if result, err = read(rows); err != nil {
			return fmt.Errorf("mysqld: %s: %w", statements[last], err)
		}
		return nil
	})
	return result, err
}

func read(rows *sql.Rows) (Rows, error) {
	columns, err := rows.Columns()
	if err != nil {
		return Rows{}, err
	}
	result := Rows{Columns: columns, Rows: [][]*string{}}
	for rows.Next() {
		row := make([]*string, len(columns))
		cells := make([]any, len(columns))
		for i := range row {
			cells[i] = &row[i]
		}
		if err := rows.Scan(cells...); err != nil {
			return Rows{}, err
		}
		result.Rows = append(result.Rows, row)
	}
	return result, rows.Err()
}

// Replicate makes the server follow the one at source (host:port), from the
// position that its own GTID set implies.
func (s *Server) Replicate(ctx context.Context, source string) error {
	host, port, err := net.SplitHostPort(source)
	if err != nil {
		return fmt.Errorf("mysqld: replicate from %q: %w", source, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("mysqld: replicate from %q: %w", source, err)
	}
	return s.Exec(ctx, replicate(host, uint16(n))...)
}

// session opens a connection for one call: a kept one would outlive the
// process it was made to.
func (s *Server) session(ctx context.Context, f func(*sql.Conn) error) error {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr = "root", "unix", s.cfg.socket()
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return fmt.Errorf("mysqld: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("mysqld: connect: %w", err)
	}
	defer conn.Close()
	return f(conn)
}
