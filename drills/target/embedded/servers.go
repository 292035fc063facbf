package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
)

// servers is what the emulated control plane acts on.
type servers struct{ w *world }

var _ cloud.Servers = (*servers)(nil)

// Promote implements cloud.Servers.
func (s *servers) Promote(ctx context.Context, target dr.Region, dataLoss bool) error {
	if err := s.w.endless(ctx, target); err != nil {
		return err
	}
	away := target == s.w.third.region
	if s.w.third.away.Store(away); away {
		return nil
	}
	if writer, _ := s.w.pair.Following(); writer == target {
		return s.w.pair.DB(target).Open(context.Background(), 0)
	}
	if dataLoss {
		_, err := s.w.pair.Promote(target)
		return err
	}
	if err := s.w.pair.Move(target, 0, true); err != nil {
		return err
	}
	if writer, _ := s.w.pair.Following(); writer != target { // one of the two does not serve
		return fmt.Errorf("embedded: switch over to %s: a server of the two does not answer", target)
	}
	return nil
}

// Fence implements cloud.Servers: it reaches what the network lets it reach.
func (s *servers) Fence(ctx context.Context, old dr.Region) error {
	if old == s.w.third.region {
		return ctx.Err()
	}
	if err := s.reach(ctx, old); err != nil {
		return err
	}
	return s.w.pair.DB(old).Fence(ctx, 0)
}

// Rejoin implements cloud.Servers.
func (s *servers) Rejoin(ctx context.Context, old, writer dr.Region) error {
	if s.w.third.region != "" && (old == s.w.third.region || writer == s.w.third.region) {
		return ctx.Err()
	}
	if err := s.reach(ctx, old); err != nil {
		return err
	}
	t := time.NewTimer(rebuild)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	}
	return s.w.pair.Rejoin(old)
}

// rebuild is how long a new volume takes. AWS: minutes to hours; here, enough for
// the old writer to stand alone for a while after the heal.
const rebuild = 3 * time.Second

// Reboot implements cloud.Servers.
func (s *servers) Reboot(ctx context.Context, r dr.Region) error {
	if s.w.inBlackout(r) {
		<-ctx.Done()
		return ctx.Err()
	}
	s.w.pair.DB(r).Reboot()
	return nil
}

// reach fails unless another Region's control plane reaches r's server.
func (s *servers) reach(ctx context.Context, r dr.Region) error {
	if !s.w.inBlackout(r) && s.w.net.Reaches(r, s.w.setup.Topology.Peer(r)) {
		return ctx.Err()
	}
	<-ctx.Done()
	return fmt.Errorf("embedded: the server in %s: %w: %w", r, drtest.ErrNoAnswer, ctx.Err())
}
