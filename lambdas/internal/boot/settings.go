package boot

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/assembly"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

// Function is one of the two that are deployed.
type Function string

// The functions, by the ends of their names.
const (
	Monitor Function = "health-monitor"
	Trigger Function = "failover-trigger"
)

// Settings is what a function's environment says; see the package's comment. It holds
// no secret that printing it would show.
type Settings struct {
	Function Function
	Name     string // of the function that runs
	Region   dr.Region
	Topology dr.Topology
	Policy   dr.Policy
	Table    string
	Topic    string
	Secret   string // of the account that read_only binds
	Admin    string // of the one that fences; empty in the trigger and in the witness
	// Trigger is the function name of the local Region's trigger; empty in the witness.
	Trigger  string
	Clusters map[dr.Region]string
	Database Database
	// Credentials are Lambda's, read once.
	Credentials aws.CredentialsProvider

	urls map[place]string
}

// Database says how the members' servers are reached.
type Database struct {
	Addresses map[dr.Region]string // host:port of the cluster endpoints
	Readers   map[dr.Region]string // host:port of the reader endpoints, for Regions in Addresses
	Endpoint  string               // host:port of the global writer endpoint
	User      string
	CA        string // path of a PEM file; empty means no TLS
	Schema    string
	Dialect   aurora.Dialect
	Servers   map[string]dr.Region // by identity, where names don't tell
	DNS       string               // host:port; empty means the system's
}

// place returns where a Region's database is, the zero Place when that isn't named.
func (d Database) place(r dr.Region) dynamo.Place {
	return dynamo.Place{Address: d.Addresses[r], Reader: d.Readers[r]}
}

// place is a service in a Region.
type place struct {
	service assembly.Service
	region  dr.Region
}

var services = []assembly.Service{assembly.RDS, assembly.DynamoDB, assembly.CloudWatch, assembly.SNS, assembly.SecretsManager, assembly.Lambda}

// Member reports whether the function stands in a member Region.
func (s Settings) Member() bool { return s.Topology.Peer(s.Region) != "" }

// url returns a service's address in a Region; empty means AWS's.
func (s Settings) url(service assembly.Service, r dr.Region) string { return s.urls[place{service, r}] }

// RegionOf returns where the server of an identity is: by Database.Servers, else by the
// longest name of a cluster that it begins with. Module database names the instances of
// cluster c c-1, c-2 and so on.
func (s Settings) RegionOf(server string) (dr.Region, bool) {
	if r, known := s.Database.Servers[server]; known {
		return r, true
	}
	var at dr.Region
	longest := ""
	for r, cluster := range s.Clusters {
		if strings.HasPrefix(server, cluster+"-") && len(cluster) > len(longest) {
			at, longest = r, cluster
		}
	}
	return at, at != ""
}
