// Package route writes the few kernel routes that a drill's containers need.
//
// Docker routes a container to its own network and to a default gateway. A
// drill's containers reach another Region through the link between the two, so
// each gets one more route per Region, and the link sends what it forwards
// through its delaying device by a rule per interface.
package route
