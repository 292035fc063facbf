// Package drill runs one drill from start to finish: bring a target up, prove
// that it is steady, write in an open loop, break it at a random moment, see that
// the fault bites, wait for the recovery, heal always, and judge the history.
//
// The order is in [Run]; what to break is a [Scenario]; what it is broken on is a
// [Target]. The package decides nothing about failover and measures nothing: the
// first is package failover's, the second is package measure's.
package drill
