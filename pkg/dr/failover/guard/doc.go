// Package guard decides what keeps the writer of a Region open, and what closes it.
//
// [Step] is pure: it reads no clock, takes no lock and does no I/O. A driver performs
// the effects that it returns, and hands it what came of each. The driver of a health
// monitor is failover.Guard; the searches of drills/model drive the same function.
//
// # What keeps a writer open
//
// Two grants do, each for LeaseTTL - LeaseMargin on the guard's own clock:
//
//   - the store's: a renewal of the lease, counted from before the renewal was sent. A
//     committed heartbeat write stands behind each renewal; one that has none says so
//     ([lease.Record].Blind), and is sent only when the server could not be asked, or has
//     answered without saying anything of its clients' writes;
//   - the peer's: the other member's monitor has read a heartbeat write of this guard in
//     the writer's database and named it in a row of its own there, by which it promises
//     not to take the lease for LeaseTTL + LeaseDrift. It is counted from before the named
//     heartbeat write was sent.
//
// While one of them holds, the writer stays open, whatever else fails. When both have run
// out, or when another Region is seen to hold a newer epoch, the writer is closed: the
// server is made read-only and confirms it, or it is cut off by the control plane.
//
// # What opens it
//
// Only a renewal that the store has confirmed after the server had confirmed that it is
// closed, in a term of this Region whose promotion is done. The peer's grant opens nothing.
//
// # A server that is not the writer
//
// A guard whose own server says that it is a secondary, or whose control plane has moved
// the writer, renews nothing more, has the server confirm that it is closed, and gives
// the lease back.
package guard
