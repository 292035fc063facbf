package aurora

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
)

// errElsewhere says that a session leads to a reader while another one of its pool may
// lead to the writer.
var errElsewhere = errors.New("its own endpoint is tried while the cluster endpoint's name does not exist")

// pooled is the driver of a pool with a source: by it a session that has found out which
// instance is the writer tells the pool that it came from.
type pooled struct {
	mysql.MySQLDriver
	writer *instance
}

// instance is what a pool remembers: the identifier of its member's writer, nil when it
// is not known.
type instance struct{ id atomic.Pointer[string] }

// learn remembers the only writer that a reader beside it names. It reports whether
// there is something to remember.
func (w *instance) learn(writers []string) bool {
	if len(writers) != 1 || !isInstance(writers[0]) {
		return false
	}
	w.id.Store(&writers[0])
	return true
}

// forget takes back what was learnt, unless it was learnt again since.
func (w *instance) forget(id *string) { w.id.CompareAndSwap(id, nil) }

// next returns what to dial when the dial of Addr has ended with err, and whether that is
// the endpoint of the instance that is known as the writer; "" for nothing.
//
// Something else is dialled only when a name server has said that Addr's name doesn't
// exist. That is how a secondary looks: its cluster endpoint is inactive, and its name has
// been seen not to resolve (gravitational/teleport#16079), which AWS documents nowhere. A
// server that is silent, refuses or resets is asked nothing else: a writer that hangs must
// not pass for a secondary because a reader beside it answers.
//
// A writer just promoted may look the same, for as long as a resolver keeps the answer
// that the name doesn't exist. Then the reader endpoint leads to a reader beside it, which
// knows its name; an instance's own endpoint is there whatever the instance's role (Aurora
// User Guide, instance endpoints). None of this has been verified on a live cluster.
func (t MySQLTarget) next(err error, writer *string) (addr string, isWriter bool) {
	if !absent(err) {
		return "", false
	}
	if writer != nil {
		if addr := beside(t.Reader, *writer); addr != "" {
			return addr, true
		}
	}
	return t.Reader, false
}

// absent reports whether a connection could not be made because a name server has said
// that the name doesn't exist.
func absent(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound && !dns.IsTimeout && !dns.IsTemporary
}

// readerName is a reader endpoint's: cluster, then what it shares with its instances.
var readerName = regexp.MustCompile(`^[a-z][a-z0-9-]*\.cluster-ro-([a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?)\.?$`)

// beside returns host:port of an instance's own endpoint in the cluster of a reader
// endpoint, and "" when either is not named as in Aurora.
func beside(reader, id string) string {
	host, port, err := net.SplitHostPort(reader)
	name := readerName.FindStringSubmatch(strings.ToLower(host))
	if err != nil || name == nil || !isInstance(id) {
		return ""
	}
	return net.JoinHostPort(id+"."+name[1], port)
}

var instanceName = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)

// isInstance reports whether RDS could have given an instance this identifier: a letter,
// then letters, digits and single hyphens, no hyphen at the end, 63 at most, all lower
// case (Amazon RDS API Reference, CreateDBInstance). What a table says becomes a host's
// name by it.
func isInstance(id string) bool { return len(id) <= 63 && instanceName.MatchString(id) }

// storageReadOnly asks a server that was dialled as the writer whether it is one.
func storageReadOnly(ctx context.Context, c driver.Conn) (bool, error) {
	q, ok := c.(driver.QueryerContext)
	if !ok {
		return false, fmt.Errorf("aurora: mysql: a connection of type %T can't be queried", c)
	}
	rows, err := q.QueryContext(ctx, "SELECT @@global.innodb_read_only", nil)
	if err != nil {
		return false, err
	}
	defer rows.Close() //nolint:errcheck // one row was asked for
	value := make([]driver.Value, 1)
	if err := rows.Next(value); err != nil {
		return false, err
	}
	is, err := driver.Bool.ConvertValue(value[0])
	return is == true, err
}
