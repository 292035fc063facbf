// Package killtable proves that the tests of this repository see. It builds bugs into the
// code, one at a time, and runs the test that must notice each.
//
// A [Bug] is a small textual change with a reason and the name of a test. Nothing in the
// working tree is touched: the changed file lies in a folder of its own, and the go
// command compiles it in the other one's place (-overlay). A bug counts as killed when
// that very test fails, by an assertion, and says what it was expected to say. A change
// that does not compile, a panic and a test that never ends count as nothing.
//
// [Bugs] is the table. TestKillTable in package drills runs it.
package killtable
