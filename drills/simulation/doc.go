// Package simulation puts a whole deployment through a drawn schedule of faults and
// judges what came of it.
//
// A seed draws a [World]: a policy, and a plan of faults of every kind that
// drills/fault knows, which overlap, flap, begin at any phase and last for any time.
// [World.Run] plays it for ten minutes on the embedded target: the deployed handlers,
// the adapters, the SDK's encoding, emulated Regions and clients that write. After
// the last fault everything is healed, and the rest of the time must bring a writer
// back. Then the invariants of the design are judged, with what stands in the
// journal, in the databases, in the topics and in the log of every call.
//
// Call Run in a testing/synctest bubble: ten minutes are then about a second.
// [Shrink] makes a plan that fails smaller.
package simulation
