package killtable

import "slices"

// Bugs is every bug that the tests of this repository must kill, in the order of the
// table.
//
// A bug belongs here when a developer could write it in good faith, and the design says
// what it would cost. Keep its test the fastest one that is meant to see it.
func Bugs() []Bug {
	return slices.Concat(controllerBugs(), guardBugs(), evidenceBugs(), adapterBugs(), functionBugs(), harnessBugs())
}
