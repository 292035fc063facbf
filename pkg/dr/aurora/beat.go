package aurora

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Beat implements failover.Beater by one autocommitted statement. It returns
// failover.ErrReadOnly also to an account that could write in spite of read_only,
// and ErrStaleEpoch when the row carries a newer epoch. On a secondary the error is
// failover.ErrNotWriter as well. A reader beside the writer says nothing of the writer:
// the writer was not asked.
func (s *SQL) Beat(ctx context.Context, b failover.Beat) error {
	return s.session(ctx, s.cfg.DB, "heartbeat", func(c *sql.Conn) error {
		err := beat(ctx, c, s.heartbeat(), b)
		if !errors.Is(err, failover.ErrReadOnly) {
			return err
		}
		if s.cfg.Dialect == DialectMySQL {
			if replica, replicaErr := follows(ctx, c); replicaErr != nil || !replica {
				return err // read-only, that much is sure
			}
			return notWriter(err)
		}
		m, modeErr := s.mode(ctx, c)
		if modeErr == nil && m.secondary {
			if modeErr = s.provenSecondary(ctx, c); modeErr == nil {
				return notWriter(err)
			}
		}
		if modeErr != nil {
			return modeErr // not joined: who refused isn't known
		}
		return err
	})
}

// notWriter adds that the read-only server is a secondary.
func notWriter(err error) error { return fmt.Errorf("%w: %w", failover.ErrNotWriter, err) }

// follows reports whether a MySQL server is configured to follow another one, by what the
// account of heartbeats may read: replicates needs REPLICATION CLIENT.
func follows(ctx context.Context, c *sql.Conn) (bool, error) {
	var channels int
	err := c.QueryRowContext(ctx, "SELECT COUNT(*) FROM performance_schema.replication_connection_status").Scan(&channels)
	return channels > 0, err
}

// beat writes a row of the heartbeat table. An older epoch changes nothing, and
// within an epoch the last write counts.
func beat(ctx context.Context, c *sql.Conn, table string, b failover.Beat) error {
	done, err := c.ExecContext(ctx, "INSERT INTO "+table+" (region, epoch, seq, at) "+
		"SELECT new.region, new.epoch, new.seq, UTC_TIMESTAMP(6) FROM (SELECT ? AS region, ? AS epoch, ? AS seq) AS new "+
		"WHERE @@global.read_only = 0 AND @@global.innodb_read_only = 0 "+
		// Assignments see the ones before them, so the epoch comes last.
		"ON DUPLICATE KEY UPDATE at = IF(new.epoch >= heartbeat.epoch, UTC_TIMESTAMP(6), heartbeat.at), "+
		"seq = IF(new.epoch >= heartbeat.epoch, new.seq, heartbeat.seq), epoch = GREATEST(new.epoch, heartbeat.epoch)",
		b.Region.String(), uint64(b.Epoch), b.Seq)
	if readOnly(err) {
		return failover.ErrReadOnly
	}
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	// Nothing was written: the server is read-only, or the row is newer.
	var closed bool
	if err := c.QueryRowContext(ctx, "SELECT @@global.read_only OR @@global.innodb_read_only").Scan(&closed); err != nil {
		return err
	}
	if closed {
		return failover.ErrReadOnly
	}
	return ErrStaleEpoch
}

// Replicated implements failover.ReplicaReader: it returns the newest heartbeat of
// a Region that has been applied here, or the zero Beat when none has. With
// SQLConfig.Writer it implements failover.PeerDatabase's: one statement reads the row and
// what the server is, because a second round trip between two Regions would take from the
// time that a promise has.
func (s *SQL) Replicated(ctx context.Context, from dr.Region) (failover.Beat, error) {
	var b failover.Beat
	err := s.session(ctx, s.cfg.DB, "read the heartbeat of "+from.String(), func(c *sql.Conn) error {
		elsewhere := false
		into, reads := []any{&b.Region, &b.Epoch, &b.Seq}, ""
		if s.cfg.Writer {
			into, reads = append(into, &elsewhere), ", @@global.innodb_read_only"
			if s.cfg.Dialect == DialectMySQL {
				reads = ", (SELECT COUNT(*) > 0 FROM performance_schema.replication_connection_status)"
			}
		}
		err := c.QueryRowContext(ctx, "SELECT region, epoch, seq"+reads+" FROM "+s.heartbeat()+" WHERE region = ?", from.String()).Scan(into...)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil || !elsewhere:
			return err
		}
		if err := s.provenSecondary(ctx, c); err != nil {
			return err
		}
		return failover.ErrNotWriter
	})
	if err != nil {
		return failover.Beat{}, err
	}
	return b, nil
}
