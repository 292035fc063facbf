package probe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/probe"
)

const (
	east dr.Region = "us-east-1"
	west dr.Region = "us-west-2"
)

// writes answers kept and fresh writes by functions.
type writes struct {
	kept, fresh func(context.Context) error
	mu          sync.Mutex
	rows        []string
}

func (w *writes) Write(ctx context.Context, subject dr.Region, row string, fresh bool) error {
	w.mu.Lock()
	w.rows = append(w.rows, fmt.Sprint(subject, " ", row))
	w.mu.Unlock()
	if fresh {
		return w.fresh(ctx)
	}
	return w.kept(ctx)
}

func says(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func silence(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestFault09SQLOpensConnectionsAndCommits(t *testing.T) {
	server := func(n uint16, says ...string) error {
		return fmt.Errorf("beat: %w", &mysql.MySQLError{Number: n, Message: strings.Join(append(says, "m"), " ")})
	}
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for name, c := range map[string]struct {
		err     error
		want    health.Answer
		cause   string
		answers bool
	}{
		"commits":              {nil, health.Alive, "", true},
		"refused":              {dial(syscall.ECONNREFUSED), health.Dead, "connection refused", false},
		"reset":                {dial(syscall.ECONNRESET), health.Dead, "connection reset", false},
		"unreachable":          {dial(syscall.EHOSTUNREACH), health.Dead, "unreachable", false},
		"cut in the middle":    {mysql.ErrInvalidConn, health.Dead, "connection reset", false},
		"end of file":          {io.EOF, health.Dead, "connection reset", false},
		"dial timeout":         {&net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}, health.Dead, "no answer in time", false},
		"read-only, by number": {server(1290, "the --super-read-only option"), health.Dead, "read-only", true},
		"another option":       {server(1290, "the --skip-grant-tables option"), health.Unknown, "MySQL error 1290", true},
		"a reader":             {server(1836), health.Dead, "read-only", true},
		"a secondary":          {fmt.Errorf("x: %w: %w", failover.ErrNotWriter, failover.ErrReadOnly), health.Dead, "read-only", true},
		"read-only, by name":   {fmt.Errorf("x: %w", failover.ErrReadOnly), health.Dead, "read-only", true},
		"shutting down":        {server(1053), health.Dead, "shutting down", true},
		"disk full":            {server(1021), health.Dead, "disk full", true},
		"disk full, no wait":   {server(3675), health.Dead, "disk full", true},
		"disk full, by errno":  {server(1, "Can't create file (OS errno 28 - No space left on device)"), health.Dead, "disk full", true},
		"disk full, of mysys":  {server(3, "Error writing file './binlog' (OS errno 28 - No space left on device)"), health.Dead, "write error", true},
		"quota":                {server(1025, "Error on rename (errno: 122 - Disk quota exceeded)"), health.Dead, "disk full", true},
		"remounted":            {server(1004, "Can't create file (errno: 30 - Read-only file system)"), health.Dead, "disk full", true},
		"storage error":        {server(1030, "Got error 5 - 'Input/output error' from storage engine"), health.Dead, "storage error", true},
		"a deadlock, wrapped":  {server(1030, "Got error 149 - 'Lock deadlock' from storage engine"), health.Unknown, "MySQL error 1030", true},
		"commit fails":         {server(1180, "Got error 5 - 'Input/output error' during COMMIT"), health.Dead, "storage error", true},
		"log not written":      {server(1534), health.Dead, "binary log", true},
		"temporary table":      {server(1114, "The table '/rdsdbdata/tmp/#sql1' is full"), health.Unknown, "MySQL error 1114", true},
		"forced recovery":      {server(1881), health.Dead, "in forced recovery", true},
		"offline mode":         {server(3032), health.Dead, "in offline mode", true},
		"query killed":         {server(1317), health.Unknown, "MySQL error 1317", true},
		"session killed":       {server(3169), health.Unknown, "MySQL error 3169", true},
		"lock wait":            {server(1205), health.Unknown, "MySQL error 1205", true},
		"account locked":       {server(3118), health.Unknown, "MySQL error 3118", true},
		"host blocked":         {server(1129), health.Unknown, "MySQL error 1129", true},
		"a new number":         {server(64000), health.Unknown, "MySQL error 64000", true},
		"a new class":          {fmt.Errorf("x: %w", failover.ErrAnswered), health.Unknown, "answered", true},
		"a new refusal":        {fmt.Errorf("x: %w", failover.ErrRefusesWrites), health.Dead, "refuses writes", true},
		"no descriptors":       {dial(syscall.EMFILE), health.Unknown, "too many open files", false},
		"silent secret store":  {fmt.Errorf("password: %w: %w", health.ErrNotAsked, context.DeadlineExceeded), health.Unknown, "the server was not asked", false},
		"absent address book":  {fmt.Errorf("address: %w: %w", health.ErrNotAsked, dial(syscall.ECONNREFUSED)), health.Unknown, "the server was not asked", false},
		"wrong password":       {server(1045), health.Unknown, "MySQL error 1045", true},
		"too many connections": {server(1040), health.Unknown, "MySQL error 1040", true},
		"too many of ours":     {server(1203), health.Unknown, "MySQL error 1203", true},
		"no table":             {server(1146), health.Unknown, "MySQL error 1146", true},
		"name not resolved":    {&net.OpError{Op: "dial", Err: &net.DNSError{Name: "db", Err: "no such host"}}, health.Unknown, "name not resolved", false},
		"resolver hangs":       {&net.OpError{Op: "dial", Err: &net.DNSError{Name: "db", IsTimeout: true}}, health.Unknown, "name not resolved", false},
		"called off":           {fmt.Errorf("x: %w", context.Canceled), health.Unknown, "called off", false},
		"never seen before":    {errors.New("tls: unknown authority"), health.Unknown, "tls: unknown authority", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &writes{kept: says(c.err), fresh: says(nil)}
			p, err := probe.NewSQL(west, w)
			require.NoError(t, err)
			got := p.Probe(t.Context(), east)
			require.Len(t, got, 2)
			kept, fresh := got[0], got[1]
			require.Equal(t, c.want, kept.Answer, kept.Cause)
			require.Contains(t, kept.Cause, c.cause)
			require.Equal(t, c.answers, kept.RegionAnswers)
			require.Equal(t, health.SQL, kept.Family)
			require.Equal(t, health.Alive, fresh.Answer, "one connection says nothing about the other")
			require.NotEqual(t, kept.Method, fresh.Method)
			require.ElementsMatch(t, []string{"us-east-1 us-west-2/probe", "us-east-1 us-west-2/probe/fresh"}, w.rows)
		})
	}
}

func TestSQLEndsByItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := probe.NewSQL(west, &writes{kept: silence, fresh: silence})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		began := time.Now()
		got := p.Probe(ctx, east)
		require.Equal(t, 1500*time.Millisecond, time.Since(began), "both are asked at once")
		for _, o := range got {
			require.Equal(t, health.Dead, o.Answer)
			require.Equal(t, "no answer in time", o.Cause)
			require.Equal(t, began, o.At)
			require.Equal(t, 1500*time.Millisecond, o.Latency)
		}
	})
}

type lag struct {
	sample *health.Lag
	err    error
}

func (l lag) Lag(context.Context) (*health.Lag, error) { return l.sample, l.err }

func TestReplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sample := func(age time.Duration) *health.Lag {
			return &health.Lag{Value: 40 * time.Millisecond, At: time.Now().Add(-age)}
		}
		for _, c := range []struct {
			lag   lag
			want  health.Answer
			cause string
		}{
			{lag{sample(0), nil}, health.Alive, ""},
			{lag{sample(1500 * time.Millisecond), nil}, health.Alive, ""},
			{lag{sample(1501 * time.Millisecond), nil}, health.Dead, "nothing has arrived for 1.5s"},
			{lag{sample(time.Hour), nil}, health.Dead, "nothing has arrived for 1h0m0s"},
			{lag{nil, nil}, health.Unknown, "no change has ever arrived"},
			{lag{sample(0), context.DeadlineExceeded}, health.Unknown, "no answer in time"},
		} {
			p, err := probe.NewReplication(west, c.lag, 0)
			require.NoError(t, err)
			o := p.Probe(t.Context(), east)[0]
			require.Equal(t, c.want, o.Answer)
			require.Equal(t, c.cause, o.Cause)
			require.Equal(t, health.Replication, o.Family)
			if c.lag.err == nil {
				require.Equal(t, c.lag.sample, o.Lag)
			} else {
				require.Nil(t, o.Lag)
			}
		}
	})
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	open := l.Addr().String()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := gone.Addr().String()
	require.NoError(t, gone.Close())
	defer l.Close() //nolint:errcheck // a test's listener

	p, err := probe.NewTCP(probe.TCPConfig{Vantage: west, Family: health.Control, Addresses: map[dr.Region]string{east: open, west: closed}})
	require.NoError(t, err)
	o := p.Probe(t.Context(), east)[0]
	require.Equal(t, health.Alive, o.Answer, o.Cause)
	require.True(t, o.RegionAnswers)
	o = p.Probe(t.Context(), west)[0]
	require.Equal(t, health.Dead, o.Answer)
	require.Equal(t, "connection refused", o.Cause)
	require.Equal(t, health.Unknown, p.Probe(t.Context(), "eu-west-1")[0].Answer)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, health.Unknown, p.Probe(ctx, east)[0].Answer, "called off")
}

func TestConfigurationsReportEverythingAtOnce(t *testing.T) {
	_, err := probe.NewTCP(probe.TCPConfig{Family: health.SQL, Addresses: map[dr.Region]string{east: "nohost"}})
	for _, want := range []string{"Vantage", `Family is`, "address of us-east-1"} {
		require.ErrorContains(t, err, want)
	}
	_, err = probe.NewReplication("", nil, time.Millisecond)
	require.ErrorContains(t, err, "LagSource")
	require.ErrorContains(t, err, "1ms is below 1s")
	_, err = probe.NewSQL("", nil)
	require.ErrorContains(t, err, "required")
	_, err = probe.NewMySQL(probe.MySQLConfig{Schema: "a b"})
	require.ErrorContains(t, err, "no Writers")
	require.ErrorContains(t, err, `Schema is no name`)
}

// A password that was put into another field by mistake must not be in the log.
func TestNoConstructorQuotesWhatItWasGiven(t *testing.T) {
	const hush = "Zq7Xk9-Lw2Vb4"
	_, err := probe.NewMySQL(probe.MySQLConfig{Schema: hush})
	require.ErrorContains(t, err, "Schema is no name")
	require.NotContains(t, err.Error(), hush[:8])
	_, err = probe.NewTCP(probe.TCPConfig{Family: health.SQL, Addresses: map[dr.Region]string{east: hush}})
	require.ErrorContains(t, err, "give host:port")
	require.NotContains(t, err.Error(), hush[:8])
}
