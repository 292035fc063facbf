package workload_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

func session(t *testing.T, f *fakeMySQL, change func(*workload.MySQLConfig)) *workload.MySQL {
	t.Helper()
	cfg := workload.MySQLConfig{
		Client: "us-east-2/open-loop", Pinned: "10.0.0.1:3306", User: "app",
		Servers: map[uint32]dr.Region{1: "us-east-1", 2: "us-west-2"}, Dial: f.dial,
	}
	if change != nil {
		change(&cfg)
	}
	m, err := workload.NewMySQL(cfg)
	require.NoError(t, err)
	return m
}

func TestMySQLWritesAndNamesItsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeMySQL{id: 1}
		m := session(t, f, nil)
		l := load(m)
		ops := run(t, l, 300*time.Millisecond)
		require.NoError(t, m.Close())
		require.Len(t, ops, 3)
		for _, op := range ops {
			require.Equal(t, workload.OK, op.Outcome, op.Error)
			require.Equal(t, dr.Region("us-east-1"), op.Server)
		}
		require.Equal(t, []string{"10.0.0.1:3306"}, f.dialled, "one connection is enough, and it is kept")
		require.Equal(t, "INSERT INTO lifeboat.writes (id, client, intended_ns) VALUES (1002, 'us-east-2/open-loop', 200000000) ON DUPLICATE KEY UPDATE id = id", f.rows[2])
	})
}

func TestMySQLOutcomes(t *testing.T) {
	for _, tt := range []struct {
		mode string
		want workload.Outcome
		text string
		took time.Duration
	}{
		{"read-only", workload.Fail, "us-east-1: server is read-only", 0},
		{"shutdown", workload.Info, "us-east-1: Error 1053 (HY000): server shutdown in progress", 0},
		{"silent", workload.Info, "us-east-1: context deadline exceeded", 1500 * time.Millisecond},
		{"reset", workload.Info, "us-east-1: invalid connection", 0},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeMySQL{id: 1}
				m := session(t, f, nil)
				defer m.Close()
				for _, fresh := range []bool{true, false} {
					if !fresh { // the connection is in the pool
						f.set("ok")
						_, err := m.Write(t.Context(), 1)
						require.NoError(t, err)
					}
					f.set(tt.mode)
					before := len(f.rows)
					ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
					start := time.Now()
					server, err := m.Write(ctx, 2)
					require.Equal(t, tt.took, time.Since(start))
					cancel()
					require.ErrorContains(t, err, tt.text)
					require.Empty(t, server)
					require.True(t, workload.WasSent(err))
					require.Equal(t, tt.want, workload.Classify(err, workload.WasSent(err)))
					require.Len(t, f.rows, before, "a write is never sent again")
					synctest.Wait()
					if tt.mode != "shutdown" {
						require.Zero(t, f.open, "the connection is thrown away")
					}
				}
			})
		})
	}
}

// database/sql may take another connection when nothing was applied, and only then.
func TestMySQLTriesAgainWhenNothingWasApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeMySQL{id: 1}
		m := session(t, f, nil)
		defer m.Close()
		_, err := m.Write(t.Context(), 1)
		require.NoError(t, err)
		f.last.Close() // the idle connection dies: not a byte of the next write leaves on it
		server, err := m.Write(t.Context(), 2)
		require.NoError(t, err)
		require.Equal(t, dr.Region("us-east-1"), server)
		require.Len(t, f.dialled, 2)

		f.set("refuse")
		f.last.Close()
		_, err = m.Write(t.Context(), 3)
		require.False(t, workload.WasSent(err), err)
		require.ErrorContains(t, err, "connection refused")
		require.NotErrorIs(t, err, workload.ErrReadOnly)
	})
}

func TestMySQLThatKeepsAReadOnlyConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeMySQL{id: 1, mode: "read-only"}
		m := session(t, f, func(c *workload.MySQLConfig) { c.KeepReadOnly = true })
		defer m.Close()
		for range 3 {
			_, err := m.Write(t.Context(), 1)
			require.ErrorContains(t, err, "Error 1290")
			require.Equal(t, workload.Fail, workload.Classify(err, workload.WasSent(err)))
		}
		require.Len(t, f.dialled, 1, "it never looks for another server")
	})
}

func TestMySQLNotSent(t *testing.T) {
	for _, tt := range []struct {
		name, mode string
		change     func(*workload.MySQLConfig)
		text       string
		took       time.Duration
	}{
		{"refused", "refuse", nil, "connection refused", 0},
		{"no handshake", "mute", nil, "i/o timeout", 2 * time.Second},
		{"stopped after the handshake", "deaf", nil, "i/o timeout", 2 * time.Second},
		{"a stranger", "ok", func(c *workload.MySQLConfig) { c.Servers = map[uint32]dr.Region{9: "us-east-1"} },
			"server_id 1 is not in MySQLConfig.Servers", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeMySQL{id: 1, mode: tt.mode}
				m := session(t, f, tt.change)
				defer m.Close()
				start := time.Now()
				_, err := m.Write(t.Context(), 1)
				require.ErrorContains(t, err, tt.text)
				require.False(t, workload.WasSent(err), err)
				require.Equal(t, workload.Fail, workload.Classify(err, workload.WasSent(err)))
				require.Zero(t, time.Since(start)%(2*time.Second), "two seconds per attempt, got %v", time.Since(start))
			})
		})
	}
}

// A write that waits for a place in the pool has not been sent.
func TestMySQLPoolTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeMySQL{id: 1, mode: "silent"}
		m := session(t, f, func(c *workload.MySQLConfig) { c.MaxOpen = 1 })
		defer m.Close()
		l := load(m)
		l.Timeout = time.Second
		ops := run(t, l, 200*time.Millisecond)
		require.Len(t, ops, 2)
		require.Equal(t, workload.Info, ops[0].Outcome)
		// The place is free when the first gives up; the second then sends.
		require.Equal(t, workload.Info, ops[1].Outcome)
		require.Equal(t, ops[1].Start+time.Second, ops[1].End)

		ops = run(t, workload.Load{Client: "c", Region: "us-east-2", Rate: 10, Timeout: 50 * time.Millisecond, FirstID: 5000, Session: blocked{m}, Clock: workload.NewClock()}, 100*time.Millisecond)
		require.Equal(t, workload.Fail, ops[0].Outcome)
		require.Contains(t, ops[0].Error, "not sent: connect: context deadline exceeded")
	})
}

// blocked holds the only connection of a pool while it writes.
type blocked struct{ m *workload.MySQL }

func (b blocked) Write(ctx context.Context, id int64) (dr.Region, error) {
	long, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	first := make(chan struct{})
	go func() {
		defer close(first)
		b.m.Write(long, -id)
	}()
	synctest.Wait() // the first write is out
	server, err := b.m.Write(ctx, id)
	<-first
	return server, err
}

func TestMySQLValidate(t *testing.T) {
	_, err := workload.NewMySQL(workload.MySQLConfig{DialTimeout: -1, MaxOpen: -1})
	for _, want := range []string{`Client is ""`, "User is empty", "set exactly one", "Servers is empty", "DialTimeout is -1ns", "MaxOpen is -1"} {
		require.ErrorContains(t, err, want)
	}
	_, err = workload.NewMySQL(workload.MySQLConfig{Endpoint: "writer.example", Client: "c", User: "u"})
	require.ErrorContains(t, err, `address "writer.example": use host:port`)
	_, err = workload.NewMySQL(workload.MySQLConfig{Endpoint: "writer.example:3306", Client: "c", User: "u"})
	require.ErrorContains(t, err, `Resolver is nil: "writer.example" needs one`)
}
