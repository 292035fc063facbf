// Package bench measures what a start of the functions costs: the time from starting
// the process to its first question for work and to its first call, and the memory
// that it then holds, beside a handler that does nothing else.
//
//	go test -run '^$' -bench . ./lambdas/build/bench
//
// The programs are those of the packages. The Runtime API and AWS are on loopback, so
// what AWS adds to a cold start (a place to run, unpacking, the network interface) is
// not in the numbers.
package bench
