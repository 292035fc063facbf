// Package dynamo keeps the lease, the journal, the heartbeats, the acknowledgements, the
// monitor leases of each Region's processes and the addresses of the members' databases in one
// DynamoDB table with multi-Region strong consistency (MRSC): two replicas in the member
// Regions and a witness in a third.
//
// MRSC is what makes the table a lock. Its conditional writes are evaluated
// against the latest version anywhere, and a write is acknowledged only after a
// second Region has it; an ordinary global table evaluates conditions per Region
// and lets the last writer win (DynamoDB developer guide, "How global tables
// work"). The [Store] therefore writes by condition, reads with strong
// consistency, and uses neither TTL nor transactions, which MRSC refuses.
//
// # The table
//
// For Terraform's aws_dynamodb_table: billing_mode PAY_PER_REQUEST, hash_key "pk"
// (S), range_key "sk" (S), no other attribute, no index and no ttl; one replica block
// for the other member Region with consistency_mode STRONG, and one
// global_table_witness block for the third Region.
//
// The table must be empty when it becomes MRSC, and all three Regions must belong
// to one Region set, such as us-east-1, us-east-2 and us-west-2. A role needs
// dynamodb:GetItem, PutItem, UpdateItem and Query on it.
//
// # The items
//
// Every item of a global database has its identifier as pk.
//
//	sk                          attributes
//	lease                       epoch, holder, rev, execution, taken_rev, taken_after_ns, served, released, version; renewed_at for people
//	heartbeat#REGION            seq, report (JSON); published_at for people
//	journal#EXECUTION#000001    entry (JSON), at, state, mode; code, event, epoch, writer_from, writer_to for people
//	ack#EPOCH                   epoch, by, reason; at for people
//	monitor-lease#REGION        holder, number, beat, next, released; written_at for people
//	address#REGION              address; announced_at for people
//
// Times in attributes are UTC and never decide anything, except that the failovers
// of the last hour are counted by them.
package dynamo
