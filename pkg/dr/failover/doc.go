// Package failover turns a verdict about a Region into a moved writer.
//
// The order is the point: the old writer is fenced before the new one is
// promoted. A [Guard] in the writer's Region renews a lease and makes its own
// writer read-only before that lease can run out; a [Controller] in the other
// Region takes the next epoch, waits for a proof of the fence, holds the known
// data loss against the policy, and only then promotes, verifies with a committed
// write, and redirects clients.
//
// What may follow what is one value, [Table], and one pure function, [Step]. The
// controller writes the outcome of every step to a [Journal] before it begins the
// next, so that a crash, a duplicate or a second controller at any point continues
// the same execution.
//
// Failover and Switchover are different methods: the first may lose data and says
// so to AWS, the second never does.
package failover
