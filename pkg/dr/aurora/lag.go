package aurora

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Lag returns the RPO lag that this secondary knows of, and when it was true; nil
// when none is known. It is never zero for want of a sample, and never younger than
// the newest change that has arrived: a fresh lag proves that the writer commits.
//
// Aurora: RPO_LAG_IN_MILLISECONDS of the local Region's row; a row whose time of
// calculation is 1970 is the writer's (Aurora User Guide, monitoring a global
// database). Aurora may calculate it while the writer is frozen, because storage
// replicates by itself, so the sample is no younger than the newest heartbeat.
// MySQL: the transit of the last transaction that the receiver has queued. It
// compares the clocks of two hosts, so a value below -1 s says that they disagree
// and is unknown, and a smaller negative one is zero.
func (s *SQL) Lag(ctx context.Context) (*health.Lag, error) {
	query, args := "SELECT 1000 * rpo_lag_in_milliseconds, GREATEST("+
		"TIMESTAMPDIFF(MICROSECOND, last_lag_calculation_timestamp, UTC_TIMESTAMP(6)), "+
		"TIMESTAMPDIFF(MICROSECOND, (SELECT MAX(at) FROM "+s.heartbeat()+"), UTC_TIMESTAMP(6))) "+
		"FROM information_schema.aurora_global_db_status WHERE aws_region = ? AND last_lag_calculation_timestamp > '1971-01-01'", []any{s.cfg.Region.String()}
	if s.cfg.Dialect == DialectMySQL {
		query, args = "SELECT TIMESTAMPDIFF(MICROSECOND, last_queued_transaction_original_commit_timestamp, last_queued_transaction_end_queue_timestamp), "+
			"TIMESTAMPDIFF(MICROSECOND, last_queued_transaction_end_queue_timestamp, NOW(6)) "+
			"FROM performance_schema.replication_connection_status "+
			"WHERE last_queued_transaction_end_queue_timestamp > '1971-01-01' AND last_queued_transaction_original_commit_timestamp > '1971-01-01' "+
			"ORDER BY last_queued_transaction_end_queue_timestamp DESC LIMIT 1", nil
	}
	var value, age sql.Null[float64] // microseconds
	asked := time.Now()              // a lag must not look younger than it is
	err := s.session(ctx, s.cfg.DB, "read the RPO lag", func(c *sql.Conn) error {
		err := c.QueryRowContext(ctx, query, args...).Scan(&value, &age)
		if errors.Is(err, sql.ErrNoRows) {
			value.Valid = false
			return nil
		}
		return err
	})
	if err != nil || !value.Valid || !age.Valid || !(value.V >= -1e6) || math.IsNaN(age.V) { // NaN is unknown, too
		return nil, err
	}
	return &health.Lag{Value: microseconds(value.V), At: asked.Add(-microseconds(age.V))}, nil
}

// microseconds never wraps around: a lag that a Duration can't hold must not look small,
// nor an age young.
func microseconds(v float64) time.Duration {
	if ns := max(0, v) * float64(time.Microsecond); ns < math.MaxInt64 {
		return time.Duration(ns)
	}
	return math.MaxInt64
}
