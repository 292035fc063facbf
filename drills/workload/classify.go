package workload

import (
	"errors"

	"github.com/go-sql-driver/mysql"
)

// ErrReadOnly is what a session returns, wrapped, when the server refused the
// write because it is read-only (MySQL 1290, 1792, 1836).
var ErrReadOnly = errors.New("server is read-only")

// SendError says whether the bytes of a write had left when it ended with Err.
type SendError struct {
	Sent bool
	Err  error
}

// Error returns the cause with what is known about the sending.
func (e *SendError) Error() string {
	if e.Sent {
		return e.Err.Error()
	}
	return "not sent: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// NotSent wraps the error of a write of which no byte left, so that nothing can
// have been applied. It returns nil for nil.
func NotSent(err error) error {
	if err == nil {
		return nil
	}
	return &SendError{Err: err}
}

// WasSent reports whether bytes of the write may have left. Without a
// [SendError] in the chain the answer is yes: to doubt is safe, to deny is not.
func WasSent(err error) bool {
	var send *SendError
	if errors.As(err, &send) {
		return send.Sent
	}
	return true
}

// Classify says how a write ended from the error of its session and from
// whether bytes of it had been sent.
//
//   - no error: OK
//   - nothing sent (dial, DNS, pool, handshake, cancelled while waiting): Fail
//   - the server answered with an error that rolls back the statement, such as
//     read-only (1290, 1792, 1836), deadlock or a missing table: Fail
//   - all else after bytes were sent: Info. That includes driver.ErrBadConn,
//     timeouts, resets, and server errors that can follow a commit.
func Classify(err error, sent bool) Outcome {
	switch {
	case err == nil:
		return OK
	case !sent, errors.Is(err, ErrReadOnly):
		return Fail
	}
	var server *mysql.MySQLError
	if errors.As(err, &server) && refusals[server.Number] {
		return Fail
	}
	return Info
}

// refusals are the server errors after which an autocommitted INSERT is known
// to be absent. A code that is not here is Info: a shutdown (1053), a killed
// statement (1317) or a failing commit (1180, 1598) can each leave the row
// behind. Numbers from the MySQL 8.4 error message reference.
var refusals = map[uint16]bool{
	1040: true, // ER_CON_COUNT_ERROR: too many connections
	1044: true, // ER_DBACCESS_DENIED_ERROR
	1045: true, // ER_ACCESS_DENIED_ERROR
	1048: true, // ER_BAD_NULL_ERROR
	1049: true, // ER_BAD_DB_ERROR
	1054: true, // ER_BAD_FIELD_ERROR
	1064: true, // ER_PARSE_ERROR
	1114: true, // ER_RECORD_FILE_FULL
	1129: true, // ER_HOST_IS_BLOCKED
	1130: true, // ER_HOST_NOT_PRIVILEGED
	1142: true, // ER_TABLEACCESS_DENIED_ERROR
	1146: true, // ER_NO_SUCH_TABLE
	1203: true, // ER_TOO_MANY_USER_CONNECTIONS
	1205: true, // ER_LOCK_WAIT_TIMEOUT
	1213: true, // ER_LOCK_DEADLOCK
	1226: true, // ER_USER_LIMIT_REACHED
	1264: true, // ER_WARN_DATA_OUT_OF_RANGE
	1290: true, // ER_OPTION_PREVENTS_STATEMENT: read_only, super_read_only
	1364: true, // ER_NO_DEFAULT_FOR_FIELD
	1406: true, // ER_DATA_TOO_LONG
	1792: true, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
	1836: true, // ER_READ_ONLY_MODE
	3098: true, // ER_BEFORE_DML_VALIDATION_ERROR
}
