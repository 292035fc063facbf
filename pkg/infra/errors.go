package infra

import "fmt"

// FieldError is one problem of a Config.
type FieldError struct {
	// Field is the path of the key in a file, such as "database.max_acu".
	Field string
	// Problem says what is wrong, with the value.
	Problem string
	// Hint says what to do. It may be empty when Problem says it all.
	Hint string
}

// Error returns the field, the problem and what to do.
func (e *FieldError) Error() string {
	return "infra: config: " + e.Field + ": " + withHint(e.Problem, e.Hint)
}

// ParseError is one problem of a file, at its place.
type ParseError struct {
	// File is the name that was given to [Parse], or the path that was loaded.
	File string
	// Line and Column count from 1. Column counts characters; it is 0 when only the
	// line is known, and both are 0 when the problem is the file as a whole.
	Line, Column int
	// Problem says what is wrong.
	Problem string
	// Hint says what to do, such as the known key that was probably meant.
	Hint string
}

// Error returns "file:line:column: problem: hint", which editors can follow.
func (e *ParseError) Error() string {
	at := e.File
	if e.Line > 0 {
		at += fmt.Sprintf(":%d", e.Line)
		if e.Column > 0 {
			at += fmt.Sprintf(":%d", e.Column)
		}
	}
	return at + ": " + withHint(e.Problem, e.Hint)
}

func withHint(problem, hint string) string {
	if hint == "" {
		return problem
	}
	return problem + ": " + hint
}
