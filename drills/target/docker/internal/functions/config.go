// Package functions is the Lambda service of a Region: it runs the programs that are
// deployed, health-monitor and failover-trigger, as Lambda would, with a schedule that
// ticks the monitor, and breaks them when it is told to.
//
// The container's first process is the service and everything around it that AWS does:
// drills/lambdahost with its Runtime API, the Invoke API at loopback, the schedule. What
// the programs write is read at once; a line that is an event becomes a mark of the
// drill, stamped when it came.
package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
	"github.com/lifeboat-dr/lifeboat/drills/measure"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// The functions, by the folders of their programs.
const (
	Monitor = "health-monitor"
	Trigger = "failover-trigger"
)

// Names are the functions.
var Names = []string{Monitor, Trigger}

// Folder is where the node image has the programs.
const Folder = "/lambda"

// Binary returns the path of a function's program.
func Binary(folder, name string) string { return path.Join(folder, name, "bootstrap") }

// Config is the body of /lambda/configure.
type Config struct {
	Region   dr.Region   `json:"region"`
	Topology dr.Topology `json:"topology"`
	Policy   dr.Policy   `json:"policy"`
	// Origin is the run's zero on the containers' clock, in nanoseconds.
	Origin int64 `json:"origin"`
	// APIs are the base URLs of AWS by Region, DNS is the host:port of the name
	// server in the local Region.
	APIs map[dr.Region]string `json:"apis"`
	DNS  string               `json:"dns"`
	// Endpoint is name:port of the global writer endpoint.
	Endpoint string `json:"endpoint"`
	// Clusters are the identifiers of the member clusters, Databases the host:port
	// of their servers, by Region; Servers tells whose server has which @@server_id.
	Clusters  map[dr.Region]string `json:"clusters"`
	Databases map[dr.Region]string `json:"databases"`
	Servers   map[uint32]dr.Region `json:"servers"`
	Table     string               `json:"table"` // the lease's
	Topic     string               `json:"topic"` // ARN of the local Region's
	// User probes and beats with the login of Secret; the login of Admin fences and
	// opens. Both are ARNs in the local Region.
	User   string `json:"user"`
	Secret string `json:"secret"`
	Admin  string `json:"admin"`

	// Every is the schedule's period; zero means 10 s. AWS has a minute at least, but
	// a drill is to see some handovers.
	Every time.Duration `json:"every,omitempty"`
	// Seed draws when within its period each tick comes.
	Seed uint64 `json:"seed"`
	// Folder is where the programs are; empty means Folder.
	Folder string `json:"folder,omitempty"`
}

// DefaultEvery is the default of Config.Every.
const DefaultEvery = 10 * time.Second

func (c Config) withDefaults() Config {
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	if c.Folder == "" {
		c.Folder = Folder
	}
	return c
}

// member reports whether the Region holds a member; the witness holds none.
func (c Config) member() bool { return c.Topology.Peer(c.Region) != "" }

func (c Config) validate() error {
	errs := []error{c.Topology.Validate()}
	if c.Region == "" {
		errs = append(errs, errors.New("functions: config: Region is empty"))
	}
	if c.Every < 0 {
		errs = append(errs, fmt.Errorf("functions: config: Every %v is negative", c.Every))
	}
	for _, r := range c.Topology.Members {
		if c.APIs[r] == "" || c.Databases[r] == "" || c.Clusters[r] == "" {
			errs = append(errs, fmt.Errorf("functions: config: of member %s an API, a database or a cluster is missing", r))
		}
	}
	return errors.Join(errs...)
}

// deployed are the functions of the Region.
func (c Config) deployed() []string {
	if c.member() {
		return Names
	}
	return Names[:1] // a witness has nothing to promote
}

// name is what a function is called, as module failover names it.
func (c Config) name(function string) string { return c.Topology.GlobalCluster + "-" + function }

// functions describes the Region's functions with the settings of module failover.
// lambda is where the Region's Invoke API is.
func (c Config) functions(lambda string) ([]lambdahost.Function, error) {
	var out []lambdahost.Function
	for _, name := range c.deployed() {
		env, err := c.environment(name, lambda)
		if err != nil {
			return nil, err
		}
		f := lambdahost.Function{
			Name: c.name(name), Binary: Binary(c.Folder, name), Region: c.Region.String(), Env: env,
			Timeout: 15 * time.Minute, Concurrency: 8, Attempts: 3, MaxAge: time.Hour,
		}
		if name == Monitor {
			f.Concurrency, f.Attempts, f.MaxAge = 2, 1, time.Minute
		}
		out = append(out, f)
	}
	return out, nil
}

// environment is what package lambdas/internal/boot reads.
func (c Config) environment(function, lambda string) (map[string]string, error) {
	policy, err := json.Marshal(c.Policy)
	if err != nil {
		return nil, fmt.Errorf("functions: the policy of %s: %w", function, err)
	}
	members := make([]string, len(c.Topology.Members))
	for i, m := range c.Topology.Members {
		members[i] = m.String()
	}
	env := map[string]string{
		// They open nothing: the emulated cloud checks none.
		"AWS_ACCESS_KEY_ID": "DRILL", "AWS_SECRET_ACCESS_KEY": "drill",

		"AWS_ENDPOINT_URL":        c.APIs[c.Region],
		"AWS_ENDPOINT_URL_LAMBDA": lambda,
		"LIFEBOAT_GLOBAL_CLUSTER": c.Topology.GlobalCluster,
		"LIFEBOAT_MEMBERS":        strings.Join(members, ","),
		"LIFEBOAT_WITNESS":        c.Topology.Witness.String(),
		"LIFEBOAT_LEASE_TABLE":    c.Table,
		"LIFEBOAT_TOPIC_ARN":      c.Topic,
		"LIFEBOAT_POLICY":         string(policy),
		"LIFEBOAT_CLUSTERS":       byRegion(c.Clusters),
	}
	for r, url := range c.APIs {
		if r == c.Region {
			continue
		}
		suffix := "_" + strings.ToUpper(strings.ReplaceAll(r.String(), "-", "_"))
		for _, service := range []string{"RDS", "DYNAMODB"} {
			env["LIFEBOAT_ENDPOINT_URL_"+service+suffix] = url
		}
	}
	if !c.member() {
		return env, nil
	}
	// As deployed: the peer's is in the address book, the witness has no way to either.
	env["LIFEBOAT_DATABASES"] = c.Region.String() + "=" + c.Databases[c.Region]
	env["LIFEBOAT_DIALECT"], env["LIFEBOAT_DATABASE_CA"] = "mysql", "none"
	env["LIFEBOAT_DATABASE_USER"], env["LIFEBOAT_SECRET_ARN"] = c.User, c.Secret
	if function == Monitor {
		env["LIFEBOAT_ADMIN_SECRET_ARN"] = c.Admin
		return env, nil
	}
	env["LIFEBOAT_ENDPOINT"], env["LIFEBOAT_DNS"] = c.Endpoint, c.DNS
	servers := map[string]string{}
	for id, r := range c.Servers {
		servers[strconv.FormatUint(uint64(id), 10)] = r.String()
	}
	env["LIFEBOAT_SERVERS"] = pairs(servers)
	return env, nil
}

func byRegion(m map[dr.Region]string) string {
	out := map[string]string{}
	for r, v := range m {
		out[r.String()] = v
	}
	return pairs(out)
}

// pairs writes "a=b,c=d".
func pairs(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return strings.Join(out, ",")
}

// Status is the answer of /lambda/status, by function.
type Status map[string]FunctionStatus

// FunctionStatus says what a function's processes are doing.
type FunctionStatus struct {
	Running int `json:"running"` // processes, frozen ones too
	Starts  int `json:"starts"`  // processes so far
	// Ended is when the last one ended, on the run's clock in nanoseconds, Exit how.
	Ended int64  `json:"ended_ns,omitempty"`
	Exit  string `json:"exit,omitempty"`
}

// Injected is the answer of /lambda/inject.
type Injected struct {
	// At is the run's clock, in nanoseconds, when the fault was carried out, and the
	// processes that it kills were gone.
	At int64 `json:"at_ns"`
	// Killed counts them.
	Killed int `json:"killed"`
}

// Marks is the answer of /lambda/marks.
type Marks struct {
	Marks []measure.Mark `json:"marks"`
	// Next is what to ask for next time.
	Next int `json:"next"`
}
