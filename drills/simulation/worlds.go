//go:build !race

package simulation

// Worlds is how many worlds a run of tests plays when it isn't told: about a minute
// on two processors.
const Worlds = 40
