package docker_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// hostile are names and passwords that end a string, a statement or a comment where
// they are not quoted.
var hostile = []string{`o'brien`, `a"b`, "back`tick", `back\slash`, `'; DROP DATABASE lifeboat; -- x`, `%`, `?@'%'`, "tab\tline\nend", `ünï↯`}

// installer returns the server's database with an account to install, in a schema of
// the test's own.
func (s *server) installer(t *testing.T, user, password, schema string) *aurora.SQL {
	t.Helper()
	db, err := aurora.NewSQL(aurora.SQLConfig{
		DB: s.pool(t, user, password), Admin: s.admin, Region: eastRegion, Dialect: aurora.DialectMySQL, Schema: schema,
		Account: aurora.Account{User: user, Password: func(context.Context) (string, error) { return password, nil }},
	})
	require.NoError(t, err)
	return db
}

func TestAuroraInstall(t *testing.T) {
	servers := newServers(t, 2)
	writer, replica := servers[0], servers[1]
	replica.follow(t, writer)

	t.Run("a new server, super_read_only", func(t *testing.T) { installNew(t, writer, replica) })
	t.Run("hostile names", func(t *testing.T) { installHostile(t, writer) })
	t.Run("a new password is set, and in no log", func(t *testing.T) { installRotated(t, writer) })
	t.Run("no password, no account", func(t *testing.T) { installWithoutPassword(t, writer) })
	t.Run("an admin that may not", func(t *testing.T) { installDenied(t, writer) })
	t.Run("bootstrapper", func(t *testing.T) {
		drtest.TestBootstrapper(t, func(t *testing.T) drtest.Bootstrap {
			writer.exec(t, "SET GLOBAL read_only = OFF")
			writer.exec(t, "DROP DATABASE IF EXISTS bootstrap")
			writer.exec(t, "SET GLOBAL super_read_only = ON")
			db := writer.installer(t, "lifeboat_f", "secret", "bootstrap")
			follower, err := aurora.NewSQL(aurora.SQLConfig{DB: replica.admin, Region: westRegion, Dialect: aurora.DialectMySQL, Schema: "bootstrap"})
			require.NoError(t, err)
			return drtest.Bootstrap{Writer: bootstrapper(t, eastRegion, db), Secondary: bootstrapper(t, westRegion, follower), Database: db, Region: eastRegion}
		})
	})
}

// bootstrapper returns one whose control plane is in memory, and whose writer is in the east.
func bootstrapper(t *testing.T, r dr.Region, db *aurora.SQL) failover.Bootstrapper {
	t.Helper()
	net := drtest.NewNetwork(eastRegion, westRegion)
	pair := drtest.NewPair(eastRegion, westRegion, func() time.Duration { return 0 })
	control := drtest.NewGlobalCluster(net, pair, func() time.Duration { return 0 }).At(r)
	f, err := aurora.NewBootstrapper(aurora.BootstrapperConfig{Region: r, Cluster: control, Database: db})
	require.NoError(t, err)
	return f
}

func installNew(t *testing.T, writer, replica *server) {
	require.True(t, writer.readOnly(t))
	db := writer.installer(t, "lifeboat_monitor", "secret", "fresh")
	began := time.Now()
	require.NoError(t, db.Install(t.Context()))
	t.Attr("install", time.Since(began).Round(10*time.Microsecond).String())
	require.True(t, writer.readOnly(t), "closed as it was")
	require.ErrorIs(t, db.Beat(t.Context(), failover.Beat{Region: eastRegion, Epoch: 1, Seq: 1}), failover.ErrReadOnly)
	require.NoError(t, db.Open(t.Context(), 1))
	require.NoError(t, db.Beat(t.Context(), failover.Beat{Region: eastRegion, Epoch: 1, Seq: 1}))
	require.NoError(t, db.Install(t.Context()), "on an open server, too")
	require.False(t, writer.readOnly(t), "open as it was")

	// What the account needs, on the server that it reads the lag of.
	account := replica.pool(t, "lifeboat_monitor", "secret")
	follower, err := aurora.NewSQL(aurora.SQLConfig{DB: account, Region: westRegion, Dialect: aurora.DialectMySQL, Schema: "fresh"})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, err := follower.Replicated(t.Context(), eastRegion)
		return err == nil && got.Seq == 1
	}, 10*time.Second, 20*time.Millisecond)
	lag, err := follower.Lag(t.Context())
	require.NoError(t, err)
	require.NotNil(t, lag)

	// What it must not have.
	grants := strings.Join(granted(t, writer, "lifeboat_monitor"), "\n")
	require.Contains(t, grants, "GRANT SELECT, INSERT, UPDATE ON `fresh`.*")
	for _, never := range []string{"SUPER", "CONNECTION_ADMIN", "GRANT OPTION", "DELETE", "DROP", "ALL PRIVILEGES", "CREATE USER", "SYSTEM_VARIABLES_ADMIN"} {
		require.NotContains(t, grants, never)
	}
	require.NoError(t, db.Fence(t.Context(), 1))
	writer.exec(t, "SET GLOBAL super_read_only = OFF") // as on Aurora: read_only only
	_, err = writer.pool(t, "lifeboat_monitor", "secret").ExecContext(t.Context(), "INSERT INTO fresh.heartbeat VALUES ('x', 1, 1, NOW(6))")
	require.ErrorContains(t, err, "read-only")
	require.NoError(t, db.Install(t.Context()), "read_only does not bind the admin")

	onReplica, err := aurora.NewSQL(aurora.SQLConfig{DB: replica.admin, Region: westRegion, Dialect: aurora.DialectMySQL, Schema: "fresh"})
	require.NoError(t, err)
	require.ErrorIs(t, onReplica.Install(t.Context()), failover.ErrNotWriter)
	untouched(t, replica)
}

func granted(t *testing.T, s *server, user string) []string {
	t.Helper()
	rows, err := s.admin.QueryContext(t.Context(), "SHOW GRANTS FOR ?@'%'", user)
	require.NoError(t, err)
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var out []string
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		out = append(out, line)
	}
	require.NoError(t, rows.Err())
	return out
}

// untouched fails when a replica has committed something of its own: that would break
// its replication.
func untouched(t *testing.T, s *server) {
	t.Helper()
	var uuid, set string
	require.NoError(t, s.admin.QueryRowContext(t.Context(), "SELECT @@server_uuid, @@gtid_executed").Scan(&uuid, &set))
	require.NotContains(t, set, uuid)
}

func installHostile(t *testing.T, s *server) {
	for _, name := range hostile {
		for _, mode := range []string{"", "NO_BACKSLASH_ESCAPES"} {
			s.exec(t, "SET GLOBAL sql_mode = '"+mode+"'")
			password := name + "-" + strings.Repeat(name, 2)
			db := s.installer(t, name, password, "hostile")
			require.NoError(t, db.Install(t.Context()), "%q", name)
			require.NoError(t, s.pool(t, name, password).PingContext(t.Context()), "%q", name)
			require.NotEmpty(t, granted(t, s, name))
			require.NoError(t, db.Install(t.Context()))
		}
	}
	s.exec(t, "SET GLOBAL sql_mode = DEFAULT")
	var n int
	require.NoError(t, s.admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'lifeboat'").Scan(&n))
	require.Equal(t, 1, n)
}

func installRotated(t *testing.T, s *server) {
	s.exec(t, "SET GLOBAL super_read_only = OFF")
	s.exec(t, "SET GLOBAL log_output = 'TABLE'")
	s.exec(t, "SET GLOBAL general_log = ON")
	require.NoError(t, s.installer(t, "lifeboat_rotated", "first-word", "fresh").Install(t.Context()))
	require.NoError(t, s.installer(t, "lifeboat_rotated", "second-word", "fresh").Install(t.Context()))
	s.exec(t, "SET GLOBAL general_log = OFF")
	require.NoError(t, s.pool(t, "lifeboat_rotated", "second-word").PingContext(t.Context()))
	require.Error(t, s.pool(t, "lifeboat_rotated", "first-word").PingContext(t.Context()))

	seen := func(word string) (n int) {
		require.NoError(t, s.admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM mysql.general_log WHERE argument LIKE ?", "%"+word+"%").Scan(&n))
		return n
	}
	require.NotZero(t, seen("lifeboat_rotated"), "the log is on")
	require.Zero(t, seen("t-word"), "first-word")
	require.Zero(t, seen("second-word"))
	var kept int
	err := s.admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM performance_schema.events_statements_history_long WHERE sql_text LIKE '%first-word%' OR sql_text LIKE '%second-word%'").Scan(&kept)
	require.NoError(t, err)
	require.Zero(t, kept)
}

func installWithoutPassword(t *testing.T, s *server) {
	asked := errors.New("secret store is down")
	for want, ask := range map[string]func(context.Context) (string, error){
		"password of unset: secret store is down": func(context.Context) (string, error) { return "half-a-secret", asked },
		"password of unset is empty":              func(context.Context) (string, error) { return "", nil },
	} {
		db, err := aurora.NewSQL(aurora.SQLConfig{
			DB: s.admin, Region: eastRegion, Dialect: aurora.DialectMySQL, Schema: "never", Account: aurora.Account{User: "unset", Password: ask},
		})
		require.NoError(t, err)
		err = db.Install(t.Context())
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "half-a-secret")
	}
	var n int
	require.NoError(t, s.admin.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'never'").Scan(&n))
	require.Zero(t, n, "nothing is begun that can't be ended")
}

func installDenied(t *testing.T, s *server) {
	s.exec(t, "SET GLOBAL read_only = OFF")
	s.exec(t, "CREATE USER IF NOT EXISTS weak IDENTIFIED BY 'weak'")
	s.exec(t, "GRANT ALL ON fresh.* TO weak")
	s.exec(t, "GRANT REPLICATION CLIENT ON *.* TO weak")
	weak := s.pool(t, "weak", "weak")
	db, err := aurora.NewSQL(aurora.SQLConfig{
		DB: weak, Region: eastRegion, Dialect: aurora.DialectMySQL, Schema: "fresh",
		Account: aurora.Account{User: "other", Password: func(context.Context) (string, error) { return "a-secret", nil }},
	})
	require.NoError(t, err)
	err = db.Install(t.Context())
	require.ErrorContains(t, err, "set the password of other")
	require.ErrorContains(t, err, "CREATE USER")
	require.NotContains(t, err.Error(), "a-secret")
	var none sql.NullString
	require.ErrorIs(t, s.admin.QueryRowContext(t.Context(), "SELECT user FROM mysql.user WHERE user = 'other'").Scan(&none), sql.ErrNoRows)
}
