//go:build race

package conformance_test

// defaultStride is which crash points are tried: every n-th. The race detector makes a
// world several times as slow.
const defaultStride = 307
