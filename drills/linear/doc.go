// Package linear holds a test only: histories of many clients on the lease table are
// checked for linearizability with porcupine.
//
// Clients in both members and in the witness use the lease, the monitor leases and the journal
// through pkg/dr/dynamo and the real SDK clients, and plain items without the adapter,
// while links are cut, calls throttled, delayed, refused, answered with errors, served
// without an answer or carried out after their caller has given up. Every clock is
// wrong in its own way. What had no answer may have been done at any later time, or
// never: it stays open until the end of the history.
//
//	go test ./drills/linear                                  a few hundred histories
//	DRILL_REPEAT=5000 go test ./drills/linear -timeout 1h    that many per subject
//	DRILL_SEED=17 DRILL_REPEAT=1 go test ./drills/linear     one
//
// A seed repeats the clients' plans and the faults; the store's pauses before a second
// attempt and the order of what happens at one instant are the runtime's. A violation
// names its seed and the page with porcupine's picture of the history, which is kept in
// DRILL_OUT or the folder for temporary files.
//
// TestSeededBugsAreFound breaks the store on purpose, among others by reads that aren't
// consistent and by an ordinary global table whose last writer wins: the check must find
// each of these, else it proves nothing.
package linear
