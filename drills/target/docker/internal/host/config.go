// Package host is what every container of the docker target has in common: its
// configuration, routes to the other Regions, the control API with the network
// faults, and one role.
package host

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/control"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/netfault"
)

// Variable is the environment variable that carries a Config as JSON.
const Variable = "LIFEBOAT_NODE"

// Config is what the test process tells a container when it makes it.
type Config struct {
	Name   string `json:"name"`
	Region string `json:"region"`
	Role   string `json:"role"`
	// Routes lead to the other Regions.
	Routes   []Route          `json:"routes,omitempty"`
	Lifeline control.Lifeline `json:"lifeline,omitzero"`
	// Settings are the role's own; each role documents its type.
	Settings json.RawMessage `json:"settings,omitempty"`
}

// Route leads to a network through a gateway in the container's own network.
type Route struct {
	To  netip.Prefix `json:"to"`
	Via netip.Addr   `json:"via"`
}

// FromEnvironment reads the Config that the test process left in Variable.
func FromEnvironment() (Config, error) {
	text := os.Getenv(Variable)
	if text == "" {
		return Config{}, fmt.Errorf("host: %s is not set: this program runs in containers that the docker target makes", Variable)
	}
	var c Config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return Config{}, fmt.Errorf("host: read %s: %w", Variable, err)
	}
	return c, nil
}

// Status is what a container says about itself at /status.
type Status struct {
	Name  string `json:"name"`
	Role  string `json:"role"`
	Ready bool   `json:"ready"`
	// Error is why the role ended, if it did.
	Error string `json:"error,omitempty"`
	// Now is the container's clock (see package clock), in nanoseconds.
	Now int64 `json:"now"`
}

// Cuts is the answer of /cut, /heal and /cuts.
type Cuts struct {
	// At is the container's clock (see package clock) when the answer was made;
	// the change that was asked for is effective by then.
	At int64 `json:"at"`
	// Cuts is what is cut now, by name.
	Cuts map[string][]netfault.Cut `json:"cuts"`
}
