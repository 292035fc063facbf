package failover

import (
	"errors"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Classes of errors of a Beater, Fencer or Watchdog, besides ErrReadOnly, ErrNotWriter
// and [health.ErrNotAsked]. An error without a class is a question that was asked and not
// answered: a timeout, a reset, a refused connection.
var (
	// ErrAnswered is in the chain of an error with which the server answered, but for a
	// reason that says nothing about its clients' writes: too many connections, access
	// denied, no such table, a lock that was waited for too long.
	ErrAnswered = errors.New("failover: the database answered, and refused for a reason of its own")
	// ErrRefusesWrites is in the chain of an error with which the server answered that it
	// can commit nothing for any client: its disk is full or fails, or it shuts down.
	ErrRefusesWrites = errors.New("failover: the database answers that it commits nothing")
)

// Reply is what one call to a database has shown of it.
type Reply uint8

// The replies. The zero value never authorises an action.
const (
	ReplyNotAsked      Reply = iota // the question never reached the server: no login, no address, refused locally
	ReplyUnanswered                 // it was asked, and nothing came back in time
	ReplyAnswered                   // the server works, and refused for a reason that says nothing about clients' writes
	ReplyCommitted                  // the call did what it is for
	ReplyReadOnly                   // the server is read-only
	ReplyNotWriter                  // the server itself says that it is a secondary
	ReplyRefusesWrites              // the server says that it commits nothing for any client
)

// String returns the reply in lower case.
func (r Reply) String() string {
	if int(r) >= len(replies) {
		return "unknown"
	}
	return replies[r]
}

var replies = [...]string{"not asked", "unanswered", "answered", "committed", "read-only", "not the writer", "refuses writes"}

// Heard reports whether the server itself has answered.
func (r Reply) Heard() bool { return r >= ReplyAnswered && int(r) < len(replies) }

// ReplyOf says what the error of a call proves. A question that was not asked proves
// nothing, whatever else is in the chain: its cause may be a deadline.
func ReplyOf(err error) Reply {
	switch {
	case err == nil:
		return ReplyCommitted
	case errors.Is(err, health.ErrNotAsked):
		return ReplyNotAsked
	case errors.Is(err, ErrNotWriter):
		return ReplyNotWriter
	case errors.Is(err, ErrReadOnly):
		return ReplyReadOnly
	case errors.Is(err, ErrRefusesWrites):
		return ReplyRefusesWrites
	case errors.Is(err, ErrAnswered):
		return ReplyAnswered
	}
	return ReplyUnanswered
}
