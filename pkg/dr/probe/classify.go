package probe

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// dead are the MySQL errors with which a server that was asked properly says that
// it commits nothing.
var dead = map[uint16]string{
	1290: "read-only", 1792: "read-only", 1836: "read-only", // see failover.ErrReadOnly
	1053: "shutting down", 1927: "connection killed", 3169: "connection killed", 1317: "query killed",
	1021: "disk full", 1114: "table full", 1026: "write error", 1030: "storage error",
}

// classify says what an error of a write proves. What it does not know proves
// nothing.
func classify(err error) (health.Answer, string) {
	var server *mysql.MySQLError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case err == nil:
		return health.Alive, ""
	case errors.Is(err, health.ErrNotAsked): // before its cause, which may be a deadline
		return health.Unknown, err.Error()
	case errors.Is(err, failover.ErrReadOnly):
		return health.Dead, "read-only"
	case errors.As(err, &server):
		if why, ok := dead[server.Number]; ok {
			return health.Dead, why
		}
		// Access denied, too many connections, no such table: our own affair.
		return health.Unknown, fmt.Sprintf("MySQL error %d: %s", server.Number, server.Message)
	case errors.Is(err, context.Canceled):
		return health.Unknown, "called off"
	case errors.As(err, &dns):
		return health.Unknown, "name not resolved: " + dns.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return health.Dead, "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return health.Dead, "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, driver.ErrBadConn):
		return health.Dead, "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return health.Dead, "unreachable"
	case errors.As(err, &op) && op.Timeout():
		return health.Dead, "no answer in time"
	}
	return health.Unknown, err.Error()
}
