// Package crashpoint lets one call of an execution go wrong, for every call and in every
// way, and judges what became of the execution: it must be the same one, settled, with one
// promotion and one epoch, at most [Late] later.
//
// A [Suite] is one layer at which calls are made. Two tests run one each: TestCrashPoints
// of pkg/dr/failover over the interfaces in memory, and TestCrashPointsOnTheWire of
// drills/conformance over the HTTP calls of the real adapters and SDK clients. A suite says
// how its [World] is built and what a call that goes wrong answers. The points, the ways,
// the courses that the writer takes, the processes that walk them, and the judgement are
// here, once.
//
// It lies in internal because both need it and no user does. It can't lie below drills,
// which pkg may not import, nor below pkg/dr/failover, whose packages compile with the
// standard library alone; and in pkg/dr/drtest it would be an interface to keep.
package crashpoint
