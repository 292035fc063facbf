//go:build !race

package failover_test

// defaultSeeds is how many worlds plain go test searches: about ten seconds.
const defaultSeeds = 400

// defaultStride is which crash points are tried: every n-th.
const defaultStride = 5
