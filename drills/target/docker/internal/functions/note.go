package functions

import "github.com/lifeboat-dr/lifeboat/pkg/dr"

// What a service notes of its processes and invocations, as names of marks: each is told
// by what happened, none by the switch of a fault. The detail is the function, and after
// ": " what is said here.
const (
	NoteStarted    = "lambda.started"    // a process: how long after it was needed
	NoteEnded      = "lambda.ended"      // a process: how, such as ByKill
	NoteKilled     = "lambda.killed"     // after a process that was killed for a step: at which
	NoteTwice      = "lambda.twice"      // the trigger works on two invocations at once
	NoteLost       = "lambda.lost"       // an event that was accepted: why, ByLoss for a fault
	NoteDuplicated = "lambda.duplicated" // an event is delivered a second time
	NoteRefused    = "lambda.refused"    // an invocation, by a service that is down
)

// NotedBy is the source of the notes of a Region.
func NotedBy(r dr.Region) string { return "lambda " + r.String() }

// Hows and whys of notes.
const (
	ByKill = "signal: killed"
	ByLoss = "lose" // what lambdahost.Lose is called
)
