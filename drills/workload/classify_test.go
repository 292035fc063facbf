package workload_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
)

func TestClassify(t *testing.T) {
	server := func(number uint16) error { return &mysql.MySQLError{Number: number, Message: "m"} }
	for _, tt := range []struct {
		name         string
		err          error
		sent, before workload.Outcome // after bytes were sent, and before
	}{
		{"acknowledged", nil, workload.OK, workload.OK},

		{"dial refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, workload.Info, workload.Fail},
		{"name not found", &net.DNSError{Err: "no such host"}, workload.Info, workload.Fail},
		{"deadline", context.DeadlineExceeded, workload.Info, workload.Fail},
		{"cancelled", context.Canceled, workload.Info, workload.Fail},
		{"i/o timeout", os.ErrDeadlineExceeded, workload.Info, workload.Fail},
		{"reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, workload.Info, workload.Fail},
		{"broken pipe", &net.OpError{Op: "write", Err: syscall.EPIPE}, workload.Info, workload.Fail},
		{"eof", io.EOF, workload.Info, workload.Fail},
		{"bad connection", driver.ErrBadConn, workload.Info, workload.Fail},
		{"invalid connection", mysql.ErrInvalidConn, workload.Info, workload.Fail},
		{"malformed packet", mysql.ErrMalformPkt, workload.Info, workload.Fail},
		{"out of sync", mysql.ErrPktSync, workload.Info, workload.Fail},
		{"pool closed", sql.ErrConnDone, workload.Info, workload.Fail},
		{"anything else", errors.New("surprise"), workload.Info, workload.Fail},

		{"read-only", fmt.Errorf("session: %w", workload.ErrReadOnly), workload.Fail, workload.Fail},
		{"1290 read_only option", server(1290), workload.Fail, workload.Fail},
		{"1792 read-only transaction", server(1792), workload.Fail, workload.Fail},
		{"1836 read-only mode", fmt.Errorf("exec: %w", server(1836)), workload.Fail, workload.Fail},
		{"1040 too many connections", server(1040), workload.Fail, workload.Fail},
		{"1146 no such table", server(1146), workload.Fail, workload.Fail},
		{"1205 lock wait timeout", server(1205), workload.Fail, workload.Fail},
		{"1213 deadlock", server(1213), workload.Fail, workload.Fail},
		{"1053 server shutdown", server(1053), workload.Info, workload.Fail},
		{"1180 error during commit", server(1180), workload.Info, workload.Fail},
		{"1317 query interrupted", server(1317), workload.Info, workload.Fail},
		{"1598 binlog failed", server(1598), workload.Info, workload.Fail},
		{"65000 unheard of", server(65000), workload.Info, workload.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.sent, workload.Classify(tt.err, true), "after bytes were sent")
			require.Equal(t, tt.before, workload.Classify(tt.err, false), "before")
		})
	}
}

func TestWasSent(t *testing.T) {
	require.True(t, workload.WasSent(io.EOF), "in doubt it was sent")
	require.False(t, workload.WasSent(fmt.Errorf("write 7: %w", workload.NotSent(io.EOF))))
	require.True(t, workload.WasSent(&workload.SendError{Sent: true, Err: io.EOF}))
	require.ErrorIs(t, workload.NotSent(io.EOF), io.EOF)
	require.NoError(t, workload.NotSent(nil))
}

func TestOutcomeValid(t *testing.T) {
	for _, o := range []workload.Outcome{workload.OK, workload.Fail, workload.Info, workload.Dropped} {
		require.True(t, o.Valid())
	}
	require.False(t, workload.Outcome("okay").Valid())
}
