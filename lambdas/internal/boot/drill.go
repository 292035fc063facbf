package boot

// drillVariables are what drills set for the programs that are deployed, to have them reach
// emulated services and plain MySQL servers. No deployment sets them: module failover doesn't.
//
//	variable                    default                    what
//	LIFEBOAT_DIALECT            aurora                     mysql for servers without Aurora's procedures: no reader endpoint is needed, and
//	                                                       LIFEBOAT_DATABASE_CA=none turns TLS off
//	LIFEBOAT_SERVERS            by the clusters' names     identity=region,... where a server's identity doesn't begin with its cluster's:
//	                                                       of dialect mysql the server_ids, which the trigger needs
//	LIFEBOAT_DNS                the system's               host:port of a name server, for the databases' names
//	AWS_ENDPOINT_URL            AWS's                      URL of every service in the local Region
//	AWS_ENDPOINT_URL_<SERVICE>  AWS_ENDPOINT_URL           URL of a service in the local Region
//	LIFEBOAT_ENDPOINT_URL_<SERVICE>_<REGION>               the same in a named Region, such as ..._RDS_US_EAST_1; it goes before
//	                                                       AWS_ENDPOINT_URL_<SERVICE>, which no other Region uses
//
// SERVICE is RDS, DYNAMODB, CLOUDWATCH, SNS, SECRETS_MANAGER or LAMBDA.
var drillVariables = []string{
	"LIFEBOAT_DIALECT", "LIFEBOAT_SERVERS", "LIFEBOAT_DNS",
	"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_<SERVICE>", "LIFEBOAT_ENDPOINT_URL_<SERVICE>_<REGION>",
}
