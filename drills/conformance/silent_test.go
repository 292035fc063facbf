package conformance_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// TestSilentServer: the SQL adapter over a server that takes a connection and says nothing,
// and over one that is down.
func TestSilentServer(t *testing.T) {
	for name, down := range map[string]bool{"frozen": false, "down": true} {
		t.Run(name, func(t *testing.T) {
			drtest.TestSilentServer(t, func(t *testing.T) drtest.Fenceable {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				require.NoError(t, err)
				if down {
					require.NoError(t, l.Close())
				} else {
					t.Cleanup(func() { require.NoError(t, l.Close()) }) // nothing is accepted, and the kernel's backlog connects
				}
				db, err := aurora.OpenMySQL(aurora.MySQLConfig{Addr: l.Addr().String(), User: "lifeboat"})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, db.Close()) })
				server, err := aurora.NewSQL(aurora.SQLConfig{DB: db, Region: east, Dialect: aurora.DialectMySQL})
				require.NoError(t, err)
				return server
			})
		})
	}
}
