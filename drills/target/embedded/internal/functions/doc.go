// Package functions is the Lambda service of one Region for functions that are Go
// values in this process: what package lambdahost is for real binaries, without
// processes and so in virtual time, too.
//
// It keeps what a drill can rest on: a [Process] starts cold and is used again while
// it is idle, works on one invocation at a time, is killed at its deadline, and does
// nothing more to the world once it is killed; calls beyond the reserved concurrency
// are refused with 429; asynchronous events wait in a queue that tries them again.
// What AWS says about each of these is in package lambdahost, whose words (Result,
// Refusal, Mode, delays) are used here.
//
// A process that is killed can't be torn out of this one. Its goroutines see their
// context end and unwind; until they have, the gate through which every call of
// theirs to the world goes is shut (see [Process.Pass]), and its invocation has ended
// for the invoker. Close waits for all of them.
package functions
