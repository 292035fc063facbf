// Package boot turns a function's environment into what the function consists of: the
// agent with the real adapters, put together once for each process and connected to
// nothing before it is used.
//
// # Environment
//
// [Parse] reads it without side effects and reports everything that is wrong at once.
// M is the health monitor in a member Region, W the one in the witness, T the trigger.
//
//	variable                    needed   default                       what
//	AWS_REGION                  M W T                                  own Region: a member, or the witness (set by Lambda)
//	AWS_LAMBDA_FUNCTION_NAME    M   T                                  own name (set by Lambda)
//	AWS_ACCESS_KEY_ID           M W T                                  (set by Lambda)
//	AWS_SECRET_ACCESS_KEY       M W T                                  (set by Lambda)
//	AWS_SESSION_TOKEN                                                  (set by Lambda)
//	LIFEBOAT_GLOBAL_CLUSTER     M W T                                  identifier of the global database
//	LIFEBOAT_MEMBERS            M W T                                  the two member Regions, comma-separated
//	LIFEBOAT_WITNESS            W        none                          third Region
//	LIFEBOAT_LEASE_TABLE        M W T                                  DynamoDB table
//	LIFEBOAT_TOPIC_ARN          M W T                                  SNS topic in the local Region
//	LIFEBOAT_SECRET_ARN         M   T    refused in the witness        login of LIFEBOAT_DATABASE_USER in the local Region's Secrets
//	                                                                   Manager: heartbeats, probes, lag; without CONNECTION_ADMIN, so
//	                                                                   that read_only binds it
//	LIFEBOAT_ADMIN_SECRET_ARN   M        refused in W and T            login that fences and opens, of another user: the secret names it
//	LIFEBOAT_POLICY                      {}                            dr.Policy as JSON
//	LIFEBOAT_DATABASES          M   T    none                          region=host[:port],... cluster endpoint of each member, port 3306;
//	                                                                   the local one is needed, the peer's is looked up if it isn't named;
//	                                                                   in the witness: asked by TCP, when it can reach them
//	LIFEBOAT_READERS            M   T                                  region=host[:port],... reader endpoint of members that
//	                                                                   LIFEBOAT_DATABASES names: asked where the cluster endpoint's
//	                                                                   name doesn't exist; the local one is needed on Aurora
//	LIFEBOAT_ENDPOINT               T    none                          host[:port] of the global writer endpoint
//	LIFEBOAT_TRIGGER                     own name, -health-monitor     the trigger's function name, for the monitor in a member
//	                                     becoming -failover-trigger
//	LIFEBOAT_CLUSTERS                    <global cluster>-<region>     region=identifier,... of the member clusters
//	LIFEBOAT_DATABASE_USER               lifeboat                      the login's user; the secret must name the same
//	LIFEBOAT_DATABASE_CA                 $LAMBDA_TASK_ROOT/rds-ca.pem  PEM file of the authorities that sign the servers' certificates
//	LIFEBOAT_SCHEMA                      lifeboat                      schema of the heartbeat table
//	LAMBDA_TASK_ROOT                     /var/task                     (set by Lambda)
//
// The witness stands outside any VPC, so on AWS it is given no LIFEBOAT_DATABASES. Variables
// that drills alone need are in drill.go.
//
// # Certificates
//
// Aurora's servers demand TLS (require_secure_transport), and their certificates are
// signed by authorities of RDS's own, which no operating system trusts. Their PEM file
// is published at https://truststore.pki.rds.amazonaws.com, as global-bundle.pem and by
// Region (Aurora User Guide, using SSL/TLS). It belongs into the function's package as
// rds-ca.pem, beside bootstrap: nothing is fetched when a Region is failing. Give the
// bundles of the two member Regions rather than the global one, whose hundred
// certificates cost milliseconds of every start. LIFEBOAT_DATABASE_CA=none turns TLS off
// and is refused on Aurora.
//
// # A secondary's address
//
// The cluster endpoint of a secondary is inactive until the member is promoted (AWS
// Database Blog, automate Amazon Aurora Global Database endpoint management). Whether its
// name resolves is documented nowhere; it has been seen not to
// (gravitational/teleport#16079). The reader endpoint is always there. So where the local
// member is asked for its lag, its heartbeats or its fence, and where a writer's guard
// asks the peer what has arrived, a connection goes to the cluster endpoint, and to the
// reader endpoint only when a name server says that the first name doesn't exist. A
// server that is silent, refuses or resets is never taken for a secondary: that may be a
// writer that hangs, with a healthy reader beside it. Should a reader beside the writer be
// reached all the same, package aurora says so, in place of a refusal that would speak for
// the writer. A resolver may keep the answer that a name doesn't exist, for as long as its
// zone's SOA says (Route 53 Developer Guide, NS and SOA records), so after a promotion the
// reader may be asked for minutes more. That reaches the writer while it is its member's
// only instance, and else a reader beside it, which knows the writer's identifier: then the
// pools of the member dial that instance's own endpoint, made from the reader endpoint's
// name, until the cluster endpoint's name exists. This needs a reader endpoint named as AWS
// names it, and has not been verified on a live cluster.
//
// The SQL probe of the peer's writer and the global writer endpoint have no such second
// way: only a writer answers them.
//
// # The peer's address
//
// The peer's endpoints exist only after the peer's part of the deployment. So each
// member's monitor announces its own in the lease table ([Announcer]). A process that needs
// the peer's looks it up when it makes the first connection, keeps it for its life,
// and looks again in the background when nothing answers there. While it isn't known, and
// whatever the table does, a question to the peer is Unknown and never Dead: such an error
// carries health.ErrNotAsked. The peer's RDS API is not asked for it, because it may be
// lost with the peer.
//
// # The database logins
//
// Two accounts, because Aurora's read_only doesn't bind its master user: a heartbeat by
// it would commit in a fenced writer, and the lease would be renewed. Heartbeats and
// probes go through the first account, and in the trigger the lag; the second one, of the
// monitor alone, fences, opens and bootstraps: it creates the first account on a new writer,
// with the password of the first secret. Each has its own secret and denials.
//
// [Login] asks Secrets Manager for the password when the first connection is made, or soon
// after the first invocation has begun, and again after a server has denied the login (error 1045), so that a rotated secret is
// followed without a restart. A process that starts while Secrets Manager doesn't answer
// can't log in: its probes are Unknown and never Dead, its guard does not renew, and a
// writer's Region then closes its writer in time. A process that has the password needs
// Secrets Manager no more.
//
// # Credentials
//
// Lambda gives a process credentials once, in its environment, and replaces the process
// rather than the credentials. So they are read once. They outlive an invocation, which
// ends after 15 minutes at most; should they expire all the same, calls fail with
// ExpiredToken, [Expired] tells, and the handlers end the process: the next invocation
// starts a new one, with new credentials. In the meantime the guard, which can't renew,
// has made its writer read-only LeaseMargin before the lease ran out.
//
// # Clocks
//
// Everything that is waited for is waited for on the monotonic clock. The wall clock is
// used for signatures, which AWS takes within 5 minutes, and for what people read. A
// clock that jumps further has one call of each client refused: the SDK learns the
// difference from the answer's Date and signs the next one with it.
package boot
