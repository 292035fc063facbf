package docker_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

// server is a MySQL server of its own, without a fleet around it: the SQL of
// pkg/dr/aurora is tested against it from the test process.
type server struct {
	engine *client.Client
	id     string
	addr   string     // where this process reaches it
	inside netip.Addr // where other containers do
	admin  *sql.DB
	app    *sql.DB // an account that read_only binds
}

// serverLife bounds a server whose test process was killed.
const serverLife = 10 * time.Minute

const serverInit = `CREATE USER 'lifeboat_admin'@'%' IDENTIFIED BY 'admin';
GRANT ALL ON *.* TO 'lifeboat_admin'@'%' WITH GRANT OPTION;
CREATE DATABASE lifeboat;
CREATE USER 'lifeboat_app'@'%' IDENTIFIED BY 'app';
GRANT SELECT, INSERT, UPDATE, DELETE, LOCK TABLES ON lifeboat.* TO 'lifeboat_app'@'%';
CREATE USER 'lifeboat_repl'@'%' IDENTIFIED BY 'repl';
GRANT REPLICATION SLAVE ON *.* TO 'lifeboat_repl'@'%';
`

const serverScript = `printf '%%s' "$INIT" > /init.sql
common="--no-defaults --user=root --datadir=/var/lib/lifeboat/data --secure-file-priv=NULL --innodb-buffer-pool-size=64M --log-error-verbosity=1"
mysqld $common --initialize-insecure --init-file=/init.sql &&
timeout %d mysqld $common --socket=/var/lib/lifeboat/s.sock --mysqlx=OFF --super-read-only=ON --event-scheduler=ON \
  --server-id=%d --log-bin=binlog --gtid-mode=ON --enforce-gtid-consistency=ON --skip-name-resolve`

// newServers starts servers that boot read-only, and returns when they answer.
func newServers(t *testing.T, n int) []*server {
	t.Helper()
	needDocker(t)
	engine, err := client.New(client.FromEnv)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	servers := make([]*server, n)
	for i := range servers {
		servers[i] = startServer(t, engine, i+1)
	}
	for _, s := range servers {
		require.Eventually(t, func() bool { return s.admin.PingContext(t.Context()) == nil }, time.Minute, 100*time.Millisecond)
	}
	return servers
}

func startServer(t *testing.T, engine *client.Client, id int) *server {
	t.Helper()
	ctx := t.Context()
	port := network.MustParsePort("3306/tcp")
	made, err := engine.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{
			Image: mysqlImage(t, engine), Entrypoint: []string{"sh", "-c"}, User: "0", Env: []string{"INIT=" + serverInit},
			Cmd: []string{fmt.Sprintf(serverScript, int(serverLife.Seconds()), id)}, ExposedPorts: network.PortSet{port: {}},
		},
		HostConfig: &container.HostConfig{
			AutoRemove: true, Tmpfs: map[string]string{"/var/lib/lifeboat": "size=1g"},
			PortBindings: network.PortMap{port: {{HostIP: netip.MustParseAddr("127.0.0.1")}}},
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := engine.ContainerRemove(context.WithoutCancel(ctx), made.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		require.NoError(t, err)
	})
	_, err = engine.ContainerStart(ctx, made.ID, client.ContainerStartOptions{})
	require.NoError(t, err)
	info, err := engine.ContainerInspect(ctx, made.ID, client.ContainerInspectOptions{})
	require.NoError(t, err)
	s := &server{engine: engine, id: made.ID}
	bound := info.Container.NetworkSettings.Ports[port]
	require.NotEmpty(t, bound)
	s.addr = net.JoinHostPort("127.0.0.1", bound[0].HostPort)
	for _, n := range info.Container.NetworkSettings.Networks {
		s.inside = n.IPAddress
	}
	s.admin, s.app = s.pool(t, "lifeboat_admin", "admin"), s.pool(t, "lifeboat_app", "app")
	return s
}

// mysqlImage returns the image that Preflight, which needDocker calls, has found.
func mysqlImage(t *testing.T, engine *client.Client) string {
	t.Helper()
	if named := os.Getenv(docker.ImageVariable); named != "" {
		return named
	}
	if _, err := engine.ImageInspect(t.Context(), docker.DefaultImage); err == nil {
		return docker.DefaultImage
	}
	return docker.BuiltImage
}

func (s *server) pool(t *testing.T, user, password string) *sql.DB {
	t.Helper()
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{
		Addr: s.addr, User: user, Password: func(context.Context) (string, error) { return password, nil },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// at returns the server's database as the guard of a Region has it.
func (s *server) at(t *testing.T, r dr.Region) *aurora.SQL {
	t.Helper()
	db, err := aurora.NewSQL(aurora.SQLConfig{DB: s.app, Admin: s.admin, Region: r, Dialect: aurora.DialectMySQL})
	require.NoError(t, err)
	return db
}

// peer returns the server as the other Region's monitor reaches it.
func (s *server) peer(t *testing.T, r dr.Region) *aurora.SQL {
	t.Helper()
	db, err := aurora.NewSQL(aurora.SQLConfig{DB: s.app, Region: r, Dialect: aurora.DialectMySQL, Writer: true})
	require.NoError(t, err)
	return db
}

// silent is a server that takes a connection and says nothing.
func silent(t *testing.T) *aurora.SQL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) }) // nothing is accepted, and the kernel's backlog connects
	db, err := aurora.OpenMySQL(aurora.MySQLConfig{Addr: l.Addr().String(), User: "lifeboat_app"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	out, err := aurora.NewSQL(aurora.SQLConfig{DB: db, Region: eastRegion, Dialect: aurora.DialectMySQL, Writer: true})
	require.NoError(t, err)
	return out
}

// open returns an open writer that has seen no epoch and has no watchdog.
func (s *server) open(t *testing.T, r dr.Region) *aurora.SQL {
	t.Helper()
	db := s.at(t, r)
	s.exec(t, "SET GLOBAL read_only = OFF")
	require.NoError(t, db.RemoveWatchdog(t.Context()))
	s.exec(t, "SET GLOBAL read_only = OFF") // it may have bitten in between
	require.NoError(t, db.Install(t.Context()))
	// As Install does for an account that it makes; the secondary gets it by replication.
	s.exec(t, "GRANT REPLICATION CLIENT ON *.* TO lifeboat_app")
	s.exec(t, "GRANT SELECT ON performance_schema.replication_connection_status TO lifeboat_app")
	s.exec(t, "TRUNCATE lifeboat.heartbeat")
	return db
}

// follow makes the server a secondary of another one.
func (s *server) follow(t *testing.T, source *server) {
	t.Helper()
	s.exec(t, "STOP REPLICA")
	s.exec(t, "RESET REPLICA ALL")
	s.exec(t, "SET GLOBAL super_read_only = ON")
	s.exec(t, "CHANGE REPLICATION SOURCE TO SOURCE_HOST='"+source.inside.String()+"', SOURCE_PORT=3306, SOURCE_USER='lifeboat_repl', "+
		"SOURCE_PASSWORD='repl', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1")
	s.exec(t, "START REPLICA")
}

func (s *server) exec(t *testing.T, statement string) {
	t.Helper()
	_, err := s.admin.ExecContext(t.Context(), statement)
	require.NoError(t, err, statement)
}

func (s *server) readOnly(t *testing.T) bool {
	t.Helper()
	var closed bool
	require.NoError(t, s.admin.QueryRowContext(t.Context(), "SELECT @@global.super_read_only").Scan(&closed))
	return closed
}

// freeze stops the server in mid-flight, its sockets open, until thaw is called.
func (s *server) freeze(t *testing.T) (thaw func()) {
	t.Helper()
	_, err := s.engine.ContainerPause(t.Context(), s.id, client.ContainerPauseOptions{})
	require.NoError(t, err)
	thawed := false
	thaw = func() {
		if !thawed {
			thawed = true
			_, err := s.engine.ContainerUnpause(context.WithoutCancel(t.Context()), s.id, client.ContainerUnpauseOptions{})
			require.NoError(t, err)
		}
	}
	t.Cleanup(thaw)
	return thaw
}

// dead returns an address of this machine where nothing listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close() //nolint:errcheck // it is to be gone
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}
