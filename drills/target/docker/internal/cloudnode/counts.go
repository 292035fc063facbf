package cloudnode

import (
	"maps"
	"net/http"
	"sync"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Calls is the answer of /cloud/throttled, by Region: the calls of its RDS API that were
// answered with the error that an SDK takes for throttling; and of /cloud/refused: the
// calls of its DynamoDB that were answered with a server's error. They count answers that
// have left, not faults.
type Calls map[dr.Region]CallsOf

// CallsOf are those of one Region since the cloud was started.
type CallsOf struct {
	Calls int `json:"calls"`
	// Last is the containers' clock at the last one, in nanoseconds.
	Last int64 `json:"last_ns"`
}

// counts are what the cloud counts as it happens.
type counts struct{ throttled, refused count }

type count struct {
	mu    sync.Mutex
	calls Calls
}

func newCounts() *counts {
	return &counts{throttled: count{calls: Calls{}}, refused: count{calls: Calls{}}}
}

func (c *counts) observe(x cloud.Exchange) {
	switch {
	case x.Err != nil:
	case x.Service == cloud.RDS && x.Code == "Throttling":
		c.throttled.add(x.To)
	case x.Service == cloud.DynamoDB && x.Status >= http.StatusInternalServerError:
		c.refused.add(x.To)
	}
}

func (c *count) add(r dr.Region) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[r] = CallsOf{Calls: c.calls[r].Calls + 1, Last: clock.Monotonic()}
}

func (c *count) read() Calls {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.calls)
}
