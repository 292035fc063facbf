package workload

import (
	"context"
	"database/sql"
	"fmt"
)

// schema is the table that the writes of a run go to. The server stamps its own
// time, for people; no number is computed from it.
var schema = []string{
	"CREATE DATABASE IF NOT EXISTS lifeboat",
	`CREATE TABLE IF NOT EXISTS lifeboat.writes (
		id          BIGINT       NOT NULL PRIMARY KEY,
		client      VARCHAR(64)  NOT NULL,
		intended_ns BIGINT       NOT NULL,
		stored_at   TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
	) ENGINE=InnoDB`,
}

// CreateTable makes the table of writes on the writer, when it isn't there.
func CreateTable(ctx context.Context, db *sql.DB) error {
	for _, statement := range schema {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("workload: create the table of writes: %w", err)
		}
	}
	return nil
}

// Survivors returns the ids of every row, in order. An empty table is an empty
// slice, never nil: nil means that it was not read.
func Survivors(ctx context.Context, db *sql.DB) (ids []int64, err error) {
	rows, err := db.QueryContext(ctx, "SELECT id FROM lifeboat.writes ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("workload: read survivors: %w", err)
	}
	defer rows.Close()
	ids = []int64{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("workload: read survivors: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("workload: read survivors after %d rows: %w", len(ids), err)
	}
	return ids, nil
}
