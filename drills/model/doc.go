// Package model explores the protocol of a failover exhaustively: every order in which
// two Regions, their databases, their monitors and triggers, the lease store, the control
// plane and a person can act, with cuts, crashes, frozen servers, lost and late messages,
// duplicates and clocks that drift, up to the bounds of a [Config].
//
// Controllers walk the real table: [failover.Step] decides what follows what. Guard,
// lease store, control plane and databases are written down here a second time, as
// smaller machines whose steps are atomic where the code holds a lock or a conditional
// write, and apart where a process can die or a message be lost. That they are true to
// the code is what pkg/dr/failover's search holds, which runs the code itself in drawn
// worlds; that nothing was missed between the draws is what this package holds.
//
// # Time
//
// One tick is a quarter of the lease: LeaseTTL is 4, LeaseMargin 1, LeaseDrift 1. All
// clocks advance together, except that within one revision of the lease the holder's may
// lose a tick or an observer's gain one, which together is LeaseDrift. A guard's fence
// that is due is done within LeaseMargin: by the server's own word, or by cutting it off.
// That is the assumption of the design, and time stands still in the model until it holds.
//
// # What must hold
//
// In every state: no database acknowledges a write after another one, promoted later, has
// ([ErrDual]); nothing is promoted without a proof, and no execution is settled without a
// writer that was verified. From every state a good end can be reached once nothing more
// breaks: every execution ended, and exactly one database open ([ErrStuck]). With fair
// scheduling that is what liveness means in a finite graph.
//
// The assumptions of ARCHITECTURE.md are switches of [Config], so that a test can show
// that each of them is needed: without it the search prints the shortest way to two
// writers.
package model
