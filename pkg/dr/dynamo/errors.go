package dynamo

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Error is a failed call to the table.
type Error struct {
	Op     string // what was attempted, such as "renew lease"
	Table  string
	Region dr.Region
	Hint   string // what to do; empty when nothing but waiting helps
	Err    error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("dynamo: %s: table %s from %s: %v", e.Op, e.Table, e.Region, e.Err)
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (s *Store) fail(op string, err error) error {
	e := &Error{Op: op, Table: s.cfg.Table, Region: s.cfg.Region, Err: err}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Hint = hints[api.ErrorCode()]
	}
	return e
}

var hints = map[string]string{
	"ResourceNotFoundException":   "create the table in this Region, or give its name",
	"AccessDeniedException":       "allow the role dynamodb:GetItem, PutItem, UpdateItem and Query on the table",
	"ValidationException":         `the table must have the keys "pk" (S) and "sk" (S)`,
	"UnrecognizedClientException": "check the credentials and their Region",
	"ExpiredTokenException":       "renew the credentials",
}
