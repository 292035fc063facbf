// Package agent runs a Region's failover.Agent the way it runs on AWS: with the
// real adapters, over the network, and in a process of its own, so that it can be
// killed in the middle of anything and started again.
//
// The container's first process keeps the agent: it starts and kills it, collects
// what it marks, and is the operator's console of the Region.
package agent

import (
	"errors"
	"fmt"

	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Variable is the environment variable that makes the node binary an agent; it
// carries a Config as JSON.
const Variable = "LIFEBOAT_AGENT"

// Config is the body of /agent/configure, and all that an agent knows.
type Config struct {
	Region   dr.Region   `json:"region"`
	Topology dr.Topology `json:"topology"`
	Policy   dr.Policy   `json:"policy"`
	// Origin is the run's zero on the containers' clock, in nanoseconds.
	Origin int64 `json:"origin"`
	// APIs are the base URLs of AWS by Region, DNS is the host:port of the name
	// server in the agent's own.
	APIs map[dr.Region]string `json:"apis"`
	DNS  string               `json:"dns"`
	// Endpoint is name:port of the global writer endpoint.
	Endpoint string `json:"endpoint"`
	// Clusters are the identifiers of the member clusters, Databases the host:port
	// of their servers, by Region; Servers tells whose server has which @@server_id.
	Clusters  map[dr.Region]string `json:"clusters"`
	Databases map[dr.Region]string `json:"databases"`
	Servers   map[uint32]dr.Region `json:"servers"`
	// Table is the lease's, Stores are the Regions whose replica of it is used, the
	// preferred one first.
	Table  string      `json:"table"`
	Stores []dr.Region `json:"stores"`
	Topic  string      `json:"topic"` // ARN of the own Region's
	// Monitor probes and beats, Admin fences and opens.
	Monitor mysqld.Account `json:"monitor"`
	Admin   mysqld.Account `json:"admin"`
}

// member reports whether the Region holds a member; the witness holds none.
func (c Config) member() bool { return c.Topology.Peer(c.Region) != "" }

// family is what this Region's view of the control planes counts as.
func (c Config) family() health.Family {
	if c.member() {
		return health.Control
	}
	return health.Witness
}

func (c Config) validate() error {
	if err := c.Topology.Validate(); err != nil {
		return err
	}
	if len(c.Stores) == 0 {
		return errors.New("agent: no Region's lease table is to be used")
	}
	for _, r := range c.Topology.Members {
		if c.APIs[r] == "" || c.Databases[r] == "" || c.Clusters[r] == "" {
			return fmt.Errorf("agent: of member %s an API, a database or a cluster is missing", r)
		}
	}
	return nil
}

// Status is the answer of /agent/status.
type Status struct {
	Running bool `json:"running"`
	PID     int  `json:"pid,omitempty"`
	// Ended is when the last process ended, on the run's clock, Exit how.
	Ended int64  `json:"ended_ns,omitempty"`
	Exit  string `json:"exit,omitempty"`
	// Starts counts the processes so far.
	Starts int `json:"starts"`
}

// Marks is the answer of /agent/marks.
type Marks struct {
	Marks []measure.Mark `json:"marks"`
	// Next is what to ask for next time.
	Next int `json:"next"`
}

// Explanation is the answer of /agent/explain.
type Explanation struct {
	Text string `json:"text"`
}
