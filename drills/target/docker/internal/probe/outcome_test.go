package probe_test

import (
	"context"
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

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/probe"
)

func TestClassify(t *testing.T) {
	op := func(err error) error { return &net.OpError{Op: "dial", Err: err} }
	for _, tt := range []struct {
		err  error
		want probe.Outcome
	}{
		{nil, probe.OK},
		{context.DeadlineExceeded, probe.Silent},
		{op(os.ErrDeadlineExceeded), probe.Silent},
		{op(os.NewSyscallError("connect", syscall.ECONNREFUSED)), probe.Refused},
		{op(os.NewSyscallError("read", syscall.ECONNRESET)), probe.Broken},
		{fmt.Errorf("handshake: %w", io.EOF), probe.Broken},
		{mysql.ErrInvalidConn, probe.Broken},
		{driver.ErrBadConn, probe.Broken},
		{&mysql.MySQLError{Number: 1290}, probe.ReadOnly},
		{fmt.Errorf("insert: %w", &mysql.MySQLError{Number: 1836}), probe.ReadOnly},
		{&mysql.MySQLError{Number: 1062}, probe.Failed},
		{context.Canceled, probe.Failed},
		{errors.New("no such host"), probe.Failed},
	} {
		require.Equal(t, tt.want, probe.Classify(tt.err), "%v", tt.err)
	}
}

func TestDialSaysWhatHappened(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var p probe.Prober
	defer p.Close()
	a := p.Dial(t.Context(), l.Addr().String())
	require.Equal(t, probe.OK, a.Outcome)
	require.Positive(t, a.Took())
	require.NoError(t, l.Close())
	require.Equal(t, probe.Refused, p.Dial(t.Context(), l.Addr().String()).Outcome)
}
