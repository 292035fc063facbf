package mysqld

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
)

// Config describes a server.
type Config struct {
	// ServerID is MySQL's server_id; unique among the servers, at least 1.
	ServerID uint32 `json:"server_id"`
	// Dir holds everything that the supervisor writes. Zero means
	// /var/lib/lifeboat, which the docker target makes a tmpfs.
	Dir string `json:"dir,omitempty"`
	// Binary is the server program; zero means mysqld on the PATH.
	Binary string `json:"binary,omitempty"`
}

// Validate reports everything that is wrong with the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.ServerID == 0 {
		errs = append(errs, errors.New("mysqld: server_id must be at least 1"))
	}
	if c.Dir != "" && !filepath.IsAbs(c.Dir) {
		errs = append(errs, fmt.Errorf("mysqld: dir %q must be absolute", c.Dir))
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	if c.Dir == "" {
		c.Dir = "/var/lib/lifeboat"
	}
	if c.Binary == "" {
		c.Binary = "mysqld"
	}
	return c
}

func (c Config) pristine() string { return filepath.Join(c.Dir, "pristine") }
func (c Config) data() string     { return filepath.Join(c.Dir, "data") }
func (c Config) socket() string   { return filepath.Join(c.Dir, "mysqld.sock") }

// common are the options of the bootstrap and of the server; both MySQL 8.4
// and 9.x know all of them.
func (c Config) common(datadir string) []string {
	return []string{
		"--no-defaults",
		"--user=root", // images differ in whether they have another; the container is the fence
		"--datadir=" + datadir,
		"--tmpdir=" + c.Dir,
		"--secure-file-priv=NULL",
		"--log-error-verbosity=2",
		// Small, because a drill's data is: it makes the boot and the copies fast.
		"--innodb-buffer-pool-size=64M",
		"--innodb-redo-log-capacity=32M",
		"--loose-innodb-numa-interleave=OFF", // containers may not set memory policies
		// Certificates take a second to make and a drill's networks are private.
		"--auto-generate-certs=OFF",
		"--tls-version=",
	}
}

func (c Config) bootstrapOptions() []string {
	return append(c.common(c.pristine()), "--initialize-insecure")
}

// setupOptions are for the server that completes the pristine data directory:
// it has no network and keeps no binary log.
func (c Config) setupOptions() []string {
	return append(c.common(c.pristine()),
		"--socket="+c.socket(),
		"--pid-file="+filepath.Join(c.Dir, "mysqld.pid"),
		"--mysqlx=OFF",
		"--skip-networking",
		"--skip-log-bin",
	)
}

func (c Config) serverOptions() []string {
	return append(c.common(c.data()),
		"--port="+strconv.Itoa(Port),
		"--bind-address=0.0.0.0",
		"--socket="+c.socket(),
		"--pid-file="+filepath.Join(c.Dir, "mysqld.pid"),
		"--mysqlx=OFF",
		"--skip-name-resolve", // a lookup would hang in a cut network
		"--max-connections=512",
		"--super-read-only=ON",
		"--event-scheduler=ON", // dr.Policy.Watchdog is an event

		"--server-id="+strconv.FormatUint(uint64(c.ServerID), 10),
		"--log-bin=binlog",
		"--gtid-mode=ON",
		"--enforce-gtid-consistency=ON",
		"--log-replica-updates=ON",
		// A server that was emptied gets its own former transactions back from its
		// successor. GTIDs keep them from going round in circles.
		"--replicate-same-server-id=ON",
		"--relay-log-recovery=ON",
		"--replica-net-timeout=4",
		// Durable before acknowledged: these are MySQL's defaults, stated
		// because RPO depends on them.
		"--sync-binlog=1",
		"--innodb-flush-log-at-trx-commit=1",
	)
}
