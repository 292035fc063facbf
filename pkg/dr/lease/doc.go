// Package lease is the exclusive right of one Region to accept writes: what the store
// keeps of it ([Record]), what a party that reads it knows ([Observer]), and what lets its
// holder serve ([Grants]). All are values: no lock, no clock, no I/O.
//
// How long a lease lasts is a matter of policy and of each party's own monotonic clock, never
// of a timestamp. The holder counts from before it sent a renewal; a party that waits for the
// lease to run out counts from after the call that first showed that renewal had returned. So
// the silence that a party has counted is never longer than the one that the holder has kept,
// and no clock is compared with another one.
//
// The monitors of a Region hand their work over by a lease of their own, with the same
// counting: lambdas/function/monitorlease.
package lease
