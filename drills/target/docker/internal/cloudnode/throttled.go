package cloudnode

import (
	"maps"
	"sync"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clock"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Throttled is the answer of /cloud/throttled, by Region: the calls of its RDS API that
// were answered with the error that an SDK takes for throttling. It counts answers that
// have left, not faults.
type Throttled map[dr.Region]ThrottledCalls

// ThrottledCalls are those of one Region since the cloud was started.
type ThrottledCalls struct {
	Calls int `json:"calls"`
	// Last is the containers' clock at the last one, in nanoseconds.
	Last int64 `json:"last_ns"`
}

// throttleCount counts them as they happen.
type throttleCount struct {
	mu    sync.Mutex
	calls Throttled
}

func (c *throttleCount) observe(x cloud.Exchange) {
	if x.Service != cloud.RDS || x.Code != "Throttling" || x.Err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[x.To] = ThrottledCalls{Calls: c.calls[x.To].Calls + 1, Last: clock.Monotonic()}
}

func (c *throttleCount) read() Throttled {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.calls)
}
