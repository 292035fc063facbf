// Package aurora moves and fences the writer of an Aurora Global Database for
// MySQL, through the RDS API and through SQL.
//
// Through the RDS API: [Cluster] promotes, [Isolator] restarts a server that
// doesn't answer, [Control] asks a Region's API whether its member is well.
// Through SQL: [SQL] commits heartbeats, makes a server read-only and opens it
// again, and reads the RPO lag; [Endpoint] commits a write through the endpoint
// that clients use.
//
// The SQL side has two dialects. [DialectAurora] is Aurora MySQL 3.06 and later,
// where mysql.rds_set_read_only is the only way to a read-only writer. It sets
// read_only, not super_read_only, so accounts with CONNECTION_ADMIN go on writing:
// applications must not use the master user. [DialectMySQL] is MySQL 8.0.22 and
// later with GTID replication, as the drills run it.
package aurora
