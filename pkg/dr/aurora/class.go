package aurora

import "github.com/lifeboat-dr/lifeboat/pkg/dr/internal/mysqlerr"

// Classed returns the error of a call to a MySQL server with its class in the chain, and
// its text unchanged, so that failover.ReplyOf knows what it proves. The methods of [SQL]
// return such errors; it is for another way to the same servers.
func Classed(err error) error { return mysqlerr.Classed(err) }
