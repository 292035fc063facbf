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
	"github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"
)

// classify says what an error of a write proves. What it does not know proves
// nothing. Of a server's answers it knows what the guard knows: see package mysqlerr.
func classify(err error) (health.Answer, string) {
	var server *mysql.MySQLError
	var dns *net.DNSError
	var op *net.OpError
	reply, why := mysqlerr.Reply(err)
	switch {
	case reply == failover.ReplyCommitted:
		return health.Alive, ""
	case errors.As(err, &dns):
		return health.Unknown, "name not resolved: " + dns.Error()
	case reply == failover.ReplyNotAsked: // before its cause, which may be a deadline
		return health.Unknown, err.Error()
	case reply == failover.ReplyReadOnly, reply == failover.ReplyNotWriter, reply == failover.ReplyRefusesWrites:
		return health.Dead, why
	case errors.As(err, &server):
		// Access denied, too many connections, no such table: the server works, and the
		// prober's account or the server's limits are at fault.
		return health.Unknown, fmt.Sprintf("MySQL error %d: %s", server.Number, server.Message)
	case reply == failover.ReplyAnswered:
		return health.Unknown, err.Error()
	case errors.Is(err, context.Canceled):
		return health.Unknown, "called off"
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

// answered reports whether a server has answered, if only to refuse.
func answered(err error) bool {
	reply, _ := mysqlerr.Reply(err)
	return err != nil && reply.Heard()
}
