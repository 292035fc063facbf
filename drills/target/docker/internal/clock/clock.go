// Package clock reads the one clock that all containers of a drill share.
//
// Containers on one engine run on one kernel, so CLOCK_MONOTONIC counts the
// same nanoseconds in each of them (unless a time namespace shifts it, which
// Docker doesn't use). A history whose timestamps come from here needs no
// correction for clock skew. The test process may run on another kernel
// (Docker Desktop keeps its engine in a virtual machine), so its own clock
// must never be compared with these timestamps.
package clock

// Monotonic returns nanoseconds of a clock that starts at an arbitrary moment
// (on Linux: boot) and never steps back.
func Monotonic() int64 { return monotonic() }
