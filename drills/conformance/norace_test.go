//go:build !race

package conformance_test

// defaultStride is which crash points are tried: every n-th.
const defaultStride = 43
