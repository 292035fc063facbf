// Package mysqld supervises one MySQL server as a child process: it makes the
// data directory once, keeps a pristine copy for fast resets, and starts,
// kills, freezes, thaws, reboots and queries the server on command.
//
// Servers boot with super_read_only=ON and accept no write before an explicit
// opening, also after a crash.
package mysqld

import "fmt"

// Port is the TCP port of every server.
const Port = 3306

// Account is a MySQL account that exists on every server.
type Account struct {
	User, Password string
}

// The accounts. Their passwords protect nothing: the servers hold drill data
// only and listen on networks that end with the drill.
var (
	// Admin may do everything; control planes and monitors use it.
	Admin = Account{"lifeboat_admin", "admin"}
	// App may read and write the tables and nothing else. It has no SUPER and
	// no CONNECTION_ADMIN, so read_only binds it.
	App = Account{"lifeboat_app", "app"}
	// Replication may read the binary log.
	Replication = Account{"lifeboat_repl", "repl"}
)

// Schema is the database that drills write to.
const Schema = "lifeboat"

// setup returns the SQL that completes a new data directory. The server that
// runs it has no binary log, so accounts and tables are the same everywhere
// and GTID sets start empty.
func setup() []string {
	all := func(a Account, grants ...string) []string {
		lines := []string{fmt.Sprintf("CREATE USER '%s'@'%%' IDENTIFIED BY '%s'", a.User, a.Password)}
		for _, g := range grants {
			lines = append(lines, fmt.Sprintf("GRANT %s TO '%s'@'%%'", g, a.User))
		}
		return lines
	}
	lines := []string{
		"CREATE DATABASE " + Schema,
		"CREATE TABLE " + Schema + ".writes (id BIGINT NOT NULL PRIMARY KEY, client VARCHAR(64) NOT NULL, region VARCHAR(32) NOT NULL DEFAULT '', intended_ns BIGINT NOT NULL)",
		"CREATE TABLE " + Schema + ".probe (name VARCHAR(64) NOT NULL PRIMARY KEY, at_ns BIGINT NOT NULL)",
		"CREATE TABLE " + Schema + ".heartbeat (region VARCHAR(32) NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, at DATETIME(6) NOT NULL)",
	}
	lines = append(lines, all(Admin, "ALL ON *.*")...)
	lines[len(lines)-1] += " WITH GRANT OPTION" // as Aurora's master user, which makes the monitor's account
	lines = append(lines, all(App, "SELECT, INSERT, UPDATE, DELETE ON "+Schema+".*")...)
	lines = append(lines, all(Replication, "REPLICATION SLAVE ON *.*")...)
	return lines
}

// replicate returns the SQL that makes a server follow the one at host:port.
//
// The source sends a heartbeat every second and the receiver gives up after
// replica_net_timeout, so a dead connection is known in four seconds and
// retried every second, practically for ever (MySQL 8.4 stops after ten
// retries by default). TLS is named because MySQL 9 wants it by default and
// the servers have no certificates.
func replicate(host string, port uint16) []string {
	return []string{
		"STOP REPLICA",
		"RESET REPLICA ALL",
		fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST='%s', SOURCE_PORT=%d, SOURCE_USER='%s', SOURCE_PASSWORD='%s', "+
			"SOURCE_AUTO_POSITION=1, SOURCE_HEARTBEAT_PERIOD=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400, SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=1",
			host, port, Replication.User, Replication.Password),
		"START REPLICA",
	}
}
