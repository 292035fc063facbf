// Package drtest provides in-memory implementations of every interface in
// package failover, and the conformance suites that they and every adapter pass.
//
// A [Network] carries every call: it knows which Regions reach each other, and one
// hook on it delays, hangs, refuses or loses the answer of any call. A [Store]
// behind it needs a majority of Regions; a [Pair] of databases ships its log with
// a delay, and what has not arrived when the secondary is promoted is gone; a
// [GlobalCluster] promotes in its own time. All of it lives on the clock of package
// time, so a failover of a minute takes no time in a testing/synctest bubble.
//
// The suites are functions named after an interface, such as [TestLeaser]. An
// adapter calls them from a test of its own and so proves every sentinel and every
// promise in the interface's comment.
package drtest
