// Package docker is the drill target made of containers: real MySQL servers
// with asynchronous GTID replication, one private network per Region, links
// that take as long as the distance, and faults in the kernel.
//
//	                 us-east-2 (witness)
//	                  /               \
//	          link 12 ms             link 25 ms
//	                /                   \
//	us-east-1: db --- link 30 ms each way --- db: us-west-2
//
// [Up] makes a [Fleet]. Each container runs the same static binary in one role
// (see node); a database host is a container of a MySQL image with that binary
// as its first process. The test process only orchestrates, through one
// control port per container that is published on the host and spared by every
// fault, so it needs no route to the containers' networks.
//
// [New] returns the [Target] that plays drills on such a fleet. Each Region has a
// Lambda service, which runs the programs that are deployed, with nothing told to them
// but their environment; and a node for the clients that write and the watches that
// see what a fault does. The AWS control plane is drills/cloud on one node, in a
// network next to every Region, and acts on the real servers.
//
// # What is real
//
// Containers keep their own addresses across Regions: a link is a router that
// holds packets, not a proxy that answers for others. A killed server resets
// its connections, a frozen one accepts connections and says nothing, a cut one
// leaves a SYN unanswered, and after a heal TCP goes on where it was. All
// containers share one kernel and so one monotonic clock.
//
// # What is not
//
// Data directories are in memory, so fsync costs nothing. Inside a cut
// namespace a UDP send fails at once with EPERM where a real outage would be
// silent; TCP is silent.
//
// The control plane of all Regions is one process, which is told who reaches
// whom; what it does not reach, it neither answers nor acts on. A promotion
// takes what the servers need, which on Aurora is unbounded.
//
// The schedule ticks every 10 s instead of every minute, with its first tick at once. A
// Lambda service is drills/lambdahost; see there what of AWS's it stands for.
//
// # Nothing stays
//
// [Fleet.Close] removes everything, Ctrl-C included. When the test process dies
// without it, containers notice within seconds that their lifeline is cut, end, and
// are removed by the engine; the next Up removes the networks that are left.
package docker
