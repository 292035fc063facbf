package dynamo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Config says where a Store keeps its items.
type Config struct {
	// Clients reach the table's replicas, the preferred one first: of a member Region its
	// own. The witness's replica can be neither read nor written. The replica that
	// answered last is asked first; another one at once when it refuses and after Hedge
	// when it is silent. Until one has answered, reads ask all of them at once. A client
	// must return when its context ends.
	Clients []Client
	// Hedge is how long a replica may be silent before another one is asked beside it.
	// Default 200 ms: an MRSC write takes about 70 ms in the farther member, and what a
	// hedge adds must be less than what a renewal has left.
	Hedge time.Duration
	// Region is the one that the Store works for; it appears in errors.
	Region dr.Region
	// Table is the table's name.
	Table string
	// Cluster is the identifier of the global database: the partition key.
	Cluster string
	// Timeout is how long a replica may be silent before it is asked again, beside the
	// attempt that is under way. Default 1 s, and never more than its share of the call's
	// own time. A call without a deadline takes Timeout for each of its Attempts.
	Timeout time.Duration
	// Attempts is how often a replica without an answer is asked in one call. Default 2,
	// at most 5.
	Attempts int
	// Trouble is told of every attempt that a client's Region has not answered, by the
	// client's index. It must not block. Optional.
	Trouble func(client int, err error)
	// Jitter draws from [0, 1), for the pauses before a call that was refused for the
	// moment is sent again. Default math/rand; a simulation gives its own. It is called
	// concurrently.
	Jitter func() float64
}

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("dynamo: config: "+format, args...))
		}
	}
	refuse(len(c.Clients) == 0, "no Clients: give the DynamoDB client of the local Region")
	for i, client := range c.Clients {
		refuse(client == nil, "Clients[%d] is nil", i)
	}
	refuse(c.Region == "", "Region is empty")
	refuse(c.Table == "", "Table is empty: name the lease table")
	refuse(c.Cluster == "", "Cluster is empty: name the Aurora global database")
	refuse(c.Hedge < 0, "Hedge %v is negative: give a positive duration, or 0 for 200ms", c.Hedge)
	refuse(c.Timeout < 0, "Timeout %v is negative: give a positive duration, or 0 for 1s", c.Timeout)
	refuse(c.Attempts < 0 || c.Attempts > 5, "Attempts %d is not within 1 and 5, or 0 for the default", c.Attempts)
	return errors.Join(errs...)
}

// Store keeps what the Regions must agree on. It is safe for concurrent use.
type Store struct {
	cfg       Config
	born      time.Time
	preferred atomic.Uint32 // index of the client that answered last
	away      atomic.Int64  // since when that is another than the first, or the first was tried, as the time since born
	answered  atomic.Bool   // one has
}

var (
	_ failover.Leaser       = (*Store)(nil)
	_ failover.Releaser     = (*Store)(nil)
	_ failover.Reports      = (*Store)(nil)
	_ failover.Journal      = (*Store)(nil)
	_ failover.Acknowledger = (*Store)(nil)
)

// New returns a store, or everything that its configuration lacks.
func New(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Second
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 2
	}
	if cfg.Hedge == 0 {
		cfg.Hedge = 200 * time.Millisecond
	}
	if cfg.Jitter == nil {
		cfg.Jitter = rand.Float64
	}
	return &Store{cfg: cfg, born: time.Now()}, nil
}
