// Package raced says how much a test plays under the race detector, which makes a simulated
// world several times as slow. `make test` plays a part of the cases with it and all of them
// without; LIFEBOAT_RACED=all plays all with it, as `make prove` does.
package raced

import (
	"hash/fnv"
	"os"
	"testing"
)

// On reports whether a test is to play less than it would: the race detector is on and
// LIFEBOAT_RACED does not say all.
func On() bool { return on && os.Getenv("LIFEBOAT_RACED") != "all" }

// Sample skips a case under the race detector unless it is the one of n that its name draws.
func Sample(t testing.TB, n uint32) {
	t.Helper()
	if On() && !drawn(t.Name(), n) {
		t.Skipf("one case in %d is played with the race detector, all without: LIFEBOAT_RACED=all", n)
	}
}

// Few is how many of all worlds a test plays: all, or few under the race detector.
func Few[N int | uint64](few, all N) N {
	if On() {
		return few
	}
	return all
}

func drawn(name string, n uint32) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return h.Sum32()%max(n, 1) == 0
}
