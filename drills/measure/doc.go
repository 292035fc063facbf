// Package measure turns the history of a drill into numbers, and the numbers
// into a verdict.
//
// [Measure] is a pure function of a [Run]: it reads no clock and no database,
// so a saved run can be measured again, also by newer rules. Every time is an
// offset on the run's one monotonic clock.
//
// The definitions:
//
//   - An outage begins at the intended start of a write that did not end ok, and
//     ends when the first ok write completes that begins a sustained window:
//     for 10 s at least 99 % of every client's writes are ok, and its next one
//     is. The length of the window is not added. Clients that stand in the
//     faulted Region do not count.
//   - RTO is the longest outage since the fault. There is usually one. When
//     there are more, the longest is the honest one, and the total is reported
//     too.
//   - The recovery point is the acknowledgement time of the newest write such
//     that it and all writes acknowledged before it are on the new writer.
//   - RPO is the time from the recovery point to the last acknowledgement by the
//     old writer, even when that came after the promotion. All clients count.
//   - A lost write was acknowledged and is absent at the end. A write with an
//     unknown outcome is never lost.
//
// [Judge] holds a [Result] against what a scenario expects. Its verdict has
// three values, because a drill whose fault did nothing proves nothing.
package measure
