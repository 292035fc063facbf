package docker

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// ImageVariable is the environment variable that names the MySQL image.
const ImageVariable = "DRILL_MYSQL_IMAGE"

// Config describes a Fleet. DefaultConfig has the design's three Regions.
type Config struct {
	// Image is the MySQL image, 8.4 or later. Empty means $DRILL_MYSQL_IMAGE, or
	// else mysql:8.4, or else, where that can't be pulled, what build-image.sh makes.
	Image string
	// Regions, at least one. Each becomes a network.
	Regions []Region
	// Links join Regions; at most one for each pair. Regions without a link
	// can't reach each other.
	Links []Link
	// Writer is the Region whose database is writable when Up and Reset return;
	// the other databases replicate from it. It must have a database.
	Writer string
	// Nodes are further containers.
	Nodes []NodeSpec
	// Logs, if not nil, returns where the output of the container named name
	// goes, as it comes. The last of it is always kept for errors.
	Logs func(name string) io.Writer
	// KeepSignals leaves Ctrl-C and SIGTERM alone. By default they close the
	// fleet and then end the process as they would have.
	KeepSignals bool
}

// Region is one network.
type Region struct {
	Name string
	// Database says whether the Region has a MySQL server.
	Database bool
}

// Link is a road between two Regions.
type Link struct {
	A, B string
	// OneWay is the delay in each direction: half the round trip. Zero is none.
	OneWay time.Duration
}

// NodeSpec is a container that runs one role of the node binary.
type NodeSpec struct {
	// Name is unique in the fleet; by habit "region/role".
	Name string
	// Region is the network that it is in.
	Region string
	// Role is a key of the table in node/main.go.
	Role string
	// Settings returns the role's settings, which become JSON. It is called when
	// the addresses of all nodes are known and none has started. Nil means none.
	Settings func(*Fleet) (any, error)
	// Files are put into the container before it starts.
	Files []File
}

// File is a file for a container.
type File struct {
	Path    string // absolute
	Content []byte
	Mode    int64 // permission bits
}

// DefaultConfig returns two Regions with a database each, 60 ms apart, and a
// third for witness and outside clients, 24 and 50 ms away: about what AWS's
// us-east-1, us-west-2 and us-east-2 are from each other.
func DefaultConfig() Config {
	return Config{
		Regions: []Region{{"us-east-1", true}, {"us-west-2", true}, {"us-east-2", false}},
		Links: []Link{
			{"us-east-1", "us-west-2", 30 * time.Millisecond},
			{"us-east-1", "us-east-2", 12 * time.Millisecond},
			{"us-west-2", "us-east-2", 25 * time.Millisecond},
		},
		Writer: "us-east-1",
	}
}

// Validate reports everything that is wrong with the configuration.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("docker: config: "+format, args...)) }

	databases := map[string]bool{}
	for _, r := range c.Regions {
		if _, twice := databases[r.Name]; twice || r.Name == "" {
			bad("Region name %q must be unique and not empty", r.Name)
		}
		databases[r.Name] = r.Database
	}
	if len(c.Regions) == 0 {
		bad("no Regions")
	}
	known := func(name string) bool { _, ok := databases[name]; return ok }
	pairs := map[[2]string]bool{}
	for _, l := range c.Links {
		if !known(l.A) || !known(l.B) || l.A == l.B {
			bad("link %s - %s must join two different Regions", l.A, l.B)
		}
		if pairs[pair(l.A, l.B)] {
			bad("link %s - %s is there twice", l.A, l.B)
		}
		pairs[pair(l.A, l.B)] = true
		if l.OneWay < 0 {
			bad("link %s - %s: delay %v is negative", l.A, l.B, l.OneWay)
		}
	}
	if c.Writer != "" && !databases[c.Writer] {
		bad("writer %q must be a Region with a database", c.Writer)
	}
	names := map[string]bool{}
	for _, n := range c.Nodes {
		if n.Name == "" || names[n.Name] {
			bad("node name %q must be unique and not empty", n.Name)
		}
		names[n.Name] = true
		if !known(n.Region) {
			bad("node %s: no Region %q", n.Name, n.Region)
		}
		if n.Role == "" {
			bad("node %s has no role", n.Name)
		}
	}
	return errors.Join(errs...)
}

// pair orders two Region names.
func pair(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}
