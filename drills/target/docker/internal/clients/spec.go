// Package clients holds what runs in a Region and is no part of the system: the
// applications that write, and the watches that ask a server the same question
// again and again, so that a fault and a promotion are measured by a process that
// causes neither and depends on neither.
package clients

import (
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/probe"
	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Load is the body of /load/start: the writers of one node.
type Load struct {
	// Origin is the run's zero on the containers' clock, in nanoseconds.
	Origin int64 `json:"origin"`
	// Endpoint is name:port of the global writer endpoint, DNS the host:port of
	// the name server in the node's Region.
	Endpoint string `json:"endpoint"`
	DNS      string `json:"dns"`
	// User and Password log in to every server.
	User     string `json:"user"`
	Password string `json:"password"`
	// Servers tells whose server has which @@server_id.
	Servers map[uint32]dr.Region `json:"servers"`
	Clients []Client             `json:"clients"`
}

// Client is one source of writes.
type Client struct {
	Name   string    `json:"name"`
	Region dr.Region `json:"region"`
	Rate   int       `json:"rate"` // writes per second
	// Pinned is the address:port that the client never lets go of; empty for one
	// that follows the endpoint.
	Pinned  string `json:"pinned,omitempty"`
	FirstID int64  `json:"first_id"`
	// Sessions bounds the client's pool; zero is no bound.
	Sessions int `json:"sessions,omitempty"`
}

// Ops is the answer of /load/ops and /load/stop: writes that have ended.
type Ops struct {
	Ops []workload.Op `json:"ops"`
	// Next is what to ask for next time.
	Next int `json:"next"`
}

// Counts is the answer of /load/counts.
type Counts map[workload.Outcome]int

// Kind is the question of a watch.
type Kind string

// The questions.
const (
	// Answers asks for an answer on a fresh connection: what a new client sees.
	Answers Kind = "answers"
	// Writes commits a write on a kept connection, until it has once.
	Writes Kind = "writes"
)

// Watch is the body of /watch/start.
type Watch struct {
	Name    string `json:"name"`
	Kind    Kind   `json:"kind"`
	Address string `json:"address"` // host:port of the server
	// User and Password log in.
	User     string `json:"user"`
	Password string `json:"password"`
	// Origin is the run's zero on the containers' clock, in nanoseconds.
	Origin int64 `json:"origin"`
	// Interval is the time between two questions, Timeout what each one gets.
	Interval time.Duration `json:"interval"`
	Timeout  time.Duration `json:"timeout"`
}

// Turn is a question whose answer differs from the one before it. The first
// question of a watch is a turn.
type Turn struct {
	// Asked and Told are when the question was put and when its answer was known.
	Asked   time.Duration `json:"asked_ns"`
	Told    time.Duration `json:"told_ns"`
	Outcome probe.Outcome `json:"outcome"`
	Error   string        `json:"error,omitempty"`
}

// Turns is the answer of /watch/turns, by the name of the watch.
type Turns map[string][]Turn
