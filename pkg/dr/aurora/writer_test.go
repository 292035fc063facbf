package aurora_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

const (
	besideWriter  = ".c7tj4example.us-west-2.rds.amazonaws.com"
	clusterHost   = "orders.cluster-c7tj4example.us-west-2.rds.amazonaws.com"
	readerHost    = "orders.cluster-ro-c7tj4example.us-west-2.rds.amazonaws.com"
	instanceHost1 = "orders-west-1" + besideWriter
	instanceHost2 = "orders-west-2" + besideWriter
)

func TestWhatIsDialledNext(t *testing.T) {
	absent := fmt.Errorf("dial: %w", &net.DNSError{IsNotFound: true})
	id := func(s string) *string { return &s }
	long := strings.Repeat("a", 63)
	for name, c := range map[string]struct {
		reader   string
		err      error
		writer   *string
		addr     string
		isWriter bool
	}{
		"connected":             {readerHost + ":3306", nil, id("w"), "", false},
		"silence":               {readerHost + ":3306", errors.New("i/o timeout"), id("w"), "", false},
		"a name server's too":   {readerHost + ":3306", &net.DNSError{IsNotFound: true, IsTimeout: true}, id("w"), "", false},
		"no reader":             {"", absent, id("w"), "", false},
		"no writer known":       {readerHost + ":3306", absent, nil, readerHost + ":3306", false},
		"a writer":              {readerHost + ":3306", absent, id("w"), "w" + besideWriter + ":3306", true},
		"another port":          {readerHost + ":3307", absent, id("orders-west-1"), "orders-west-1" + besideWriter + ":3307", true},
		"an absolute name":      {readerHost + ".:3306", absent, id("w"), "w" + besideWriter + ":3306", true},
		"capitals":              {strings.ToUpper(readerHost) + ":3306", absent, id("w"), "w" + besideWriter + ":3306", true},
		"China":                 {"o.cluster-ro-abc.cn-north-1.rds.amazonaws.com.cn:3306", absent, id("w"), "w.abc.cn-north-1.rds.amazonaws.com.cn:3306", true},
		"as long as may be":     {readerHost + ":3306", absent, id(long), long + besideWriter + ":3306", true},
		"too long":              {readerHost + ":3306", absent, id(long + "a"), readerHost + ":3306", false},
		"a cluster endpoint":    {clusterHost + ":3306", absent, id("w"), clusterHost + ":3306", false},
		"a custom endpoint":     {"o.cluster-custom-abc.us-west-2.rds.amazonaws.com:3306", absent, id("w"), "o.cluster-custom-abc.us-west-2.rds.amazonaws.com:3306", false},
		"a name of one's own":   {"reader.example.com:3306", absent, id("w"), "reader.example.com:3306", false},
		"what ends otherwise":   {readerHost + ".example.com:3306", absent, id("w"), readerHost + ".example.com:3306", false},
		"what begins otherwise": {"x." + readerHost + ":3306", absent, id("w"), "x." + readerHost + ":3306", false},
		"dots for any letter":   {strings.ReplaceAll(readerHost, ".rds.", "xrds.") + ":3306", absent, id("w"), strings.ReplaceAll(readerHost, ".rds.", "xrds.") + ":3306", false},
	} {
		t.Run(name, func(t *testing.T) {
			addr, isWriter := aurora.Next(aurora.MySQLTarget{Addr: clusterHost + ":3306", Reader: c.reader}, c.err, c.writer)
			require.Equal(t, c.addr, addr)
			require.Equal(t, c.isWriter, isWriter)
		})
	}
	for _, bad := range []string{"", "1a", "-a", "a-", "a--b", "a.b", "a_b", "A", "a b", "a\n", "evil.example.com#", "a/b", "a:1", "é", "a\x00"} {
		addr, isWriter := aurora.Next(aurora.MySQLTarget{Reader: readerHost + ":3306"}, absent, &bad)
		require.Equal(t, readerHost+":3306", addr, "%q", bad)
		require.False(t, isWriter)
	}
}

// hosts returns the names dialled since the last call, without their domain.
func (r *site) hosts() []string {
	r.names.mu.Lock()
	defer r.names.mu.Unlock()
	var out []string
	for _, addr := range r.dials {
		host, _, _ := net.SplitHostPort(addr)
		out = append(out, strings.TrimSuffix(strings.TrimSuffix(host, "."), besideWriter[len(".c7tj4example"):]))
	}
	r.dials = nil
	return out
}

const (
	atCluster = "orders.cluster-c7tj4example"
	atReader  = "orders.cluster-ro-c7tj4example"
	atFirst   = "orders-west-1.c7tj4example"
	atSecond  = "orders-west-2.c7tj4example"
)

// noName has the name server deny that a name exists, or no longer.
func (r *site) noName(host string, absent bool) {
	r.names.mu.Lock()
	defer r.names.mu.Unlock()
	delete(r.wrong, host+".")
	if absent {
		r.wrong[host+"."] = func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }
	}
}

// promoted is a Region whose first instance has been promoted, is closed as it booted, and
// whose cluster endpoint the resolver still takes for absent. The reader endpoint leads to
// the second instance.
func promoted(t *testing.T) (r *site, writer, beside *server) {
	t.Helper()
	writer, beside = newServer(), newServer()
	writer.readOnly, writer.epoch = true, 3
	beside.secondary, beside.epoch, beside.writers = true, 3, []string{"orders-west-1"}
	r = newSite(t, map[string]*server{clusterHost: writer, readerHost: beside, instanceHost1: writer, instanceHost2: beside})
	r.noName(clusterHost, true)
	return r, writer, beside
}

// database speaks to the Region by two accounts, as the monitor does.
func (r *site) database(t *testing.T, reader string, change ...func(*aurora.SQLConfig)) *aurora.SQL {
	t.Helper()
	cfg := aurora.SQLConfig{DB: r.pool(t, clusterHost, reader), Admin: r.pool(t, clusterHost, reader), Region: west}
	for _, f := range change {
		f(&cfg)
	}
	db, err := aurora.NewSQL(cfg)
	require.NoError(t, err)
	return db
}

// The writer is opened, gets its heartbeat write and is fenced in one call each, although
// its cluster endpoint doesn't resolve and whichever readers the pools have kept from before.
func TestAPromotedWriterIsReachedBeforeItsClusterEndpointResolves(t *testing.T) {
	r, writer, beside := promoted(t)
	beside.writers = nil // a secondary still: the pools keep connections to the reader
	db := r.database(t, readerHost)
	require.ErrorIs(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}), failover.ErrReadOnly)
	require.NoError(t, db.Fence(t.Context(), 4), "no writer here")
	_, err := db.Lag(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{atCluster, atReader, atCluster, atReader, atCluster, atReader}, r.hosts(), "the beat's was dropped")
	beside.mu.Lock()
	beside.writers = []string{"orders-west-1"}
	beside.mu.Unlock()

	require.NoError(t, db.Open(t.Context(), 4))
	require.False(t, writer.readOnly)
	require.Equal(t, []string{atCluster, atFirst}, r.hosts(), "the kept one led to the reader")
	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: west, Epoch: 4}))
	require.EqualValues(t, 4, writer.epoch)
	require.Equal(t, []string{atCluster, atFirst}, r.hosts(), "both pools have learnt it: the kept one leads nowhere else")
	require.NoError(t, db.Fence(t.Context(), 4))
	require.True(t, writer.readOnly)
	require.Empty(t, r.hosts())
	require.Empty(t, beside.statements("CALL"))
}

// A cold pool learns it, too, from the reader that it reaches first.
func TestAColdPoolLearnsTheWriter(t *testing.T) {
	r, writer, _ := promoted(t)
	db := r.database(t, readerHost)
	require.NoError(t, db.Open(t.Context(), 4))
	require.False(t, writer.readOnly)
	require.Equal(t, []string{atCluster, atReader, atCluster, atFirst}, r.hosts())
}

// As many as a pool keeps idle lead to the reader: one call still gets to the writer.
func TestKeptConnectionsToAReaderAreGoneThrough(t *testing.T) {
	r, writer, _ := promoted(t)
	admin := r.pool(t, clusterHost, readerHost)
	kept := make([]*sql.Conn, 2)
	for i := range kept {
		var err error
		kept[i], err = admin.Conn(t.Context())
		require.NoError(t, err)
	}
	for _, c := range kept {
		require.NoError(t, c.Close())
	}
	r.hosts()
	require.NoError(t, r.database(t, readerHost, func(c *aurora.SQLConfig) { c.Admin = admin }).Open(t.Context(), 4))
	require.False(t, writer.readOnly)
	require.Equal(t, []string{atCluster, atFirst}, r.hosts())
}

// The former writer is dialled no more: not when its name leads to a reader, and not when
// no server answers there. And the cluster endpoint comes first as soon as it exists.
func TestAWriterThatIsNoneAnyMoreIsForgotten(t *testing.T) {
	fresh := func(c *aurora.SQLConfig) {
		c.DB.SetMaxIdleConns(-1) // every session opens a connection
		c.Admin.SetMaxIdleConns(-1)
	}
	t.Run("its storage takes no writes", func(t *testing.T) {
		r, writer, beside := promoted(t)
		db := r.database(t, readerHost, fresh)
		require.NoError(t, db.Open(t.Context(), 4))
		r.hosts()
		writer.mu.Lock()
		writer.secondary, writer.writers = true, []string{"orders-west-2"}
		writer.mu.Unlock()
		beside.mu.Lock()
		beside.secondary, beside.readOnly = false, true
		beside.mu.Unlock()
		require.NoError(t, db.Open(t.Context(), 4))
		require.False(t, beside.readOnly, "it names the new one")
		require.Equal(t, []string{atCluster, atFirst, atCluster, atSecond}, r.hosts())
	})
	t.Run("a secondary", func(t *testing.T) {
		r, writer, beside := promoted(t)
		db := r.database(t, readerHost, fresh)
		require.NoError(t, db.Open(t.Context(), 4))
		r.hosts()
		for _, s := range []*server{writer, beside} {
			s.mu.Lock()
			s.secondary, s.writers = true, nil
			s.mu.Unlock()
		}
		require.ErrorIs(t, db.Open(t.Context(), 4), failover.ErrNotWriter)
		require.ErrorIs(t, db.Open(t.Context(), 4), failover.ErrNotWriter)
		require.Equal(t, []string{atCluster, atFirst, atCluster, atReader}, r.hosts())
	})
	t.Run("it says that it is the writer and takes no writes", func(t *testing.T) {
		r, writer, _ := promoted(t)
		writer.secondary, writer.writers = true, []string{"orders-west-1"}
		db := r.database(t, readerHost)
		require.ErrorContains(t, db.Open(t.Context(), 4), "connected to a reader, the writer is orders-west-1")
		require.LessOrEqual(t, len(r.hosts()), 8, "four sessions at most")
	})
	t.Run("no server answers", func(t *testing.T) {
		r, _, beside := promoted(t)
		db := r.database(t, readerHost, fresh)
		require.NoError(t, db.Open(t.Context(), 4))
		r.hosts()
		r.put(instanceHost1, nil)
		beside.mu.Lock()
		beside.writers = nil
		beside.mu.Unlock()
		err := db.Open(t.Context(), 4)
		require.ErrorContains(t, err, "writer "+instanceHost1, "a writer that fails is not a secondary")
		require.NotErrorIs(t, err, failover.ErrNotWriter)
		require.ErrorIs(t, db.Open(t.Context(), 4), failover.ErrNotWriter)
		require.Equal(t, []string{atCluster, atFirst}, r.hosts()[:2])
	})
	t.Run("it doesn't say whether it is one", func(t *testing.T) {
		r, writer, _ := promoted(t)
		writer.deaf = 1 // and waits for the client to hang up
		require.ErrorContains(t, r.database(t, readerHost).Open(t.Context(), 4), "writer "+instanceHost1)
	})
	t.Run("the cluster endpoint exists", func(t *testing.T) {
		r, _, _ := promoted(t)
		db := r.database(t, readerHost, fresh)
		require.NoError(t, db.Open(t.Context(), 4))
		r.hosts()
		r.noName(clusterHost, false)
		require.NoError(t, db.Open(t.Context(), 4))
		require.Equal(t, []string{atCluster}, r.hosts())
	})
}

// A server id that can't be part of an Aurora host name is not dialled, and no server is
// asked again then.
func TestAnOtherNameIsNotDialled(t *testing.T) {
	for name, writers := range map[string][]string{
		"no identifier": {"evil.example.com#"}, "two writers": {"orders-west-1", "orders-west-2"},
	} {
		r, _, beside := promoted(t)
		beside.writers = writers
		require.ErrorContains(t, r.database(t, readerHost).Open(t.Context(), 4), "connected to a reader", name)
		require.Equal(t, []string{atCluster, atReader}, r.hosts(), name)
	}
	const own = "reader.test"
	_, writer, beside := promoted(t)
	r := newSite(t, map[string]*server{own: beside})
	r.noName(clusterHost, true)
	require.ErrorContains(t, r.database(t, own).Open(t.Context(), 4), "connected to a reader")
	require.NotContains(t, r.hosts(), atFirst)
	require.Empty(t, writer.statements(""))
}

// A fence ends the sessions of the server that it closes, not those of a reader whose
// connection the pool has kept.
func TestAFenceThatIsHeldUpEndsNoSessionsOnAReader(t *testing.T) {
	r, writer, beside := promoted(t)
	writer.readOnly, writer.sessions, beside.sessions = false, []uint64{7}, []uint64{8}
	admin := r.pool(t, clusterHost, readerHost)
	kept, err := admin.Conn(t.Context()) // to the reader
	require.NoError(t, err)
	db := r.database(t, readerHost, func(c *aurora.SQLConfig) { c.Admin = admin })
	released := make(chan struct{})
	writer.hook = func(q string) {
		switch {
		case strings.HasPrefix(q, "CALL mysql.rds_set_read_only"):
			require.NoError(t, kept.Close()) // the next session draws it
			<-released
		case strings.HasPrefix(q, "CALL mysql.rds_kill(7)"):
			close(released)
		}
	}
	require.NoError(t, db.Fence(t.Context(), 4))
	require.True(t, writer.readOnly)
	require.Equal(t, []uint64{8}, beside.sessions)
}
