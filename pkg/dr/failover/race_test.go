//go:build race

package failover_test

// The race detector makes a world ten times as slow; it needs fewer of them.
const defaultSeeds = 20

// defaultStride is which crash points are tried: every n-th.
const defaultStride = 61
