package embedded

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/workload"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// session is one client: it looks the writer up in the endpoint's DNS, keeps the
// answer for exactly its time to live, and writes there.
type session struct {
	from    dr.Region
	pinned  dr.Region // the only Region it ever talks to; empty to ask the endpoint
	resolve func(ctx context.Context, asking dr.Region) (dr.Region, time.Duration, error)
	dial    func(from, to dr.Region) *drtest.Conn
	world   *world
	kept    kept

	mu      sync.Mutex
	cached  dr.Region
	expires time.Time
}

// Write implements workload.Session.
func (s *session) Write(ctx context.Context, id int64) (dr.Region, error) {
	to, err := s.writer(ctx)
	if err != nil {
		return "", workload.NotSent(err)
	}
	if to == s.world.third.region {
		return to, nil // which is not emulated and takes every write
	}
	mine := s.world.session(&s.kept, to, heartbeats)
	if !mine.Load() {
		if err := s.world.admit(ctx, &s.kept, s.from, to, false); err != nil {
			return to, workload.NotSent(err)
		}
	}
	err = s.dial(s.from, to).Write(ctx, id)
	mine.Store(err == nil)
	if errors.Is(err, failover.ErrReadOnly) || errors.Is(err, drtest.ErrDown) {
		return to, workload.NotSent(err) // refused before anything was done
	}
	return to, err
}

func (s *session) writer(ctx context.Context) (dr.Region, error) {
	if s.pinned != "" {
		return s.pinned, nil
	}
	s.mu.Lock()
	cached, fresh := s.cached, time.Now().Before(s.expires)
	s.mu.Unlock()
	if fresh {
		return cached, nil
	}
	to, ttl, err := s.resolve(ctx, s.from)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cached, s.expires = to, time.Now().Add(ttl)
	return to, nil
}
