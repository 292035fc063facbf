//go:build race

package simulation

// Worlds is how many worlds a run of tests plays when it isn't told. Under the race
// detector one takes ten seconds.
const Worlds = 1
