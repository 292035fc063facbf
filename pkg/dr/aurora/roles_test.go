package aurora_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// kinds are a writer, and a secondary of another Region that follows it, of each dialect.
var kinds = map[string]struct {
	dialect aurora.Dialect
	pair    func() (writer, secondary *server)
}{
	"aurora": {aurora.DialectAurora, func() (writer, secondary *server) {
		writer, secondary = newServer(), newServer()
		secondary.secondary, secondary.follows = true, writer
		return writer, secondary
	}},
	"mysql": {aurora.DialectMySQL, func() (writer, secondary *server) {
		writer, secondary = newServer(), newServer()
		secondary.readOnly, secondary.channels, secondary.follows = true, 1, writer
		return writer, secondary
	}},
}

// silent returns the package's view of a server that takes a connection and says nothing.
func silent(t *testing.T, d aurora.Dialect) *aurora.SQL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) }) // nothing is accepted, and the kernel's backlog connects
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{Addr: l.Addr().String(), User: "lifeboat"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	out, err := aurora.NewSQL(aurora.SQLConfig{DB: db, Region: west, Dialect: d, Writer: true})
	require.NoError(t, err)
	return out
}

// Whether real servers answer these statements so, the game days on MySQL show.
func TestRoleReaderConforms(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			drtest.TestRoleReader(t, func(t *testing.T) drtest.Roles {
				writer, secondary := kind.pair()
				at := func(s *server) *aurora.SQL {
					return sqlOn(t, s, func(c *aurora.SQLConfig) { c.Dialect = kind.dialect })
				}
				r := drtest.Roles{
					Writer: at(writer), Secondary: at(secondary), Silent: silent(t, kind.dialect),
					Fence: func(*testing.T) { writer.readOnly, secondary.readOnly = true, true },
				}
				if kind.dialect == aurora.DialectAurora {
					reader := newServer()
					reader.secondary, reader.writers = true, []string{"orders-west-1"}
					r.Reader = at(reader)
				}
				return r
			})
		})
	}
}

func TestPeerDatabaseConforms(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			drtest.TestPeerDatabase(t, func(t *testing.T) drtest.Peers {
				writer, secondary := kind.pair()
				at := func(s *server, peer bool) *aurora.SQL {
					return sqlOn(t, s, func(c *aurora.SQLConfig) { c.Dialect, c.Writer = kind.dialect, peer })
				}
				return drtest.Peers{
					Writer: at(writer, true), Secondary: at(secondary, true), Silent: silent(t, kind.dialect),
					Guard: at(writer, false), Replica: at(secondary, false),
				}
			})
		})
	}
}

// A reader beside the writer is not the writer, and no secondary: nothing was asked of the
// writer.
func TestAReaderNamesNoHeartbeat(t *testing.T) {
	writer, reader := newServer(), newServer()
	reader.secondary, reader.follows, reader.writers = true, writer, []string{"orders-west-1"}
	require.NoError(t, sqlOn(t, writer).Beat(t.Context(), failover.Beat{Region: west, Epoch: 1, Seq: 1}))
	got, err := sqlOn(t, reader, func(c *aurora.SQLConfig) { c.Writer = true }).Replicated(t.Context(), west)
	require.ErrorContains(t, err, "connected to a reader, the writer is orders-west-1")
	require.NotErrorIs(t, err, failover.ErrNotWriter)
	require.Equal(t, failover.ReplyNotAsked, failover.ReplyOf(err))
	require.Zero(t, got)
}
