// Package probe asks from inside a network what a client there would see, so
// that a drill counts a fault as effective only when a client that is no part of
// it has seen its effect.
package probe

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// Outcome is what became of an attempt.
type Outcome string

// The outcomes.
const (
	OK       Outcome = "ok"
	Refused  Outcome = "refused"   // the connection was refused: a host without a listener
	Broken   Outcome = "broken"    // the connection was reset or ended in mid-flight
	Silent   Outcome = "silent"    // no answer in time
	ReadOnly Outcome = "read_only" // the server refused to write
	Failed   Outcome = "failed"    // anything else
)

// Answer is the answer of a probe.
type Answer struct {
	Outcome Outcome `json:"outcome"`
	// Start and End are the containers' clock (see package clock) around the attempt.
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	// Error is the text of the error, if any.
	Error string `json:"error,omitempty"`
}

// Classify returns the outcome that err means.
func Classify(err error) Outcome {
	var timeout net.Error
	var refusal *mysql.MySQLError
	switch {
	case err == nil:
		return OK
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Silent
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn):
		return Broken
	case errors.As(err, &refusal) && readOnly(refusal.Number):
		return ReadOnly
	}
	return Failed
}

// readOnly knows ER_OPTION_PREVENTS_STATEMENT (super_read_only), ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
// and ER_READ_ONLY_MODE.
func readOnly(code uint16) bool { return code == 1290 || code == 1792 || code == 1836 }
