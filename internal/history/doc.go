// Package history reads what the guard of commit 9f577a0 did, and plays it through another
// guard.
//
// Before the guard was made a pure machine, a recorder wrote down everything that it was
// told, asked and did: in its own unit tests, in twelve worlds of the model search, and in
// each drill of the catalogue, in virtual time. The recordings are test data of
// pkg/dr/failover; the README beside them says how they were made and what a line means.
//
// [Play] gives a machine the inputs of one recorded guard. What the machine asks for is
// answered as it was answered then, by the recorded call of the same kind that is nearest
// in time, and what it does is compared with what the old guard did. A difference changes
// what comes after it: a machine that opens later also renews later. So a difference is
// told with the phase in which it was found, and each kind of difference must be explained
// once (see Difference.Key). TestHistories of pkg/dr/failover/guard plays all of them through
// guard.Step.
package history
