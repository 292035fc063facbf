// Package workload writes rows while a drill breaks things, and keeps the
// history of every write.
//
// [Load] is an open loop: writes start on a fixed grid of intended times,
// whatever happened to the writes before them. A closed loop waits for the
// answer before it sends again, so an outage of 40 s costs it one failed write
// and the measurement looks good (coordinated omission).
//
// Every write has an id that is used once, and ends in one of four ways.
// [Fail] means that the write was definitely not applied. [Info] means that the
// outcome is unknown: bytes left and no answer came. A timeout is never counted
// as a failure and never as a loss.
//
// [MySQL] is the session of a real client: go-sql-driver/mysql behind the pool
// of database/sql, dialled by name through a [Resolver] that keeps a DNS answer
// exactly for its time to live.
package workload
