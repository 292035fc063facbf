package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Effective implements drill.Observer. What clients suffer from is seen by one that
// asks for itself, from the third Region or the other end of a cut link; what functions
// suffer from by what happened to them since the injection, or since this call where
// nothing was injected.
func (w *world) Effective(ctx context.Context, f fault.Fault) (time.Duration, error) {
	var shows func(context.Context) bool
	switch f.Kind {
	case fault.None:
		return w.Clock(), nil
	case fault.Blackout, fault.Kill, fault.FreezeDatabase, fault.Isolate:
		shows = w.mute(w.setup.Topology.Witness, f.Region)
	case fault.CutLink:
		shows = w.mute(f.Peer, f.Region)
	case fault.ThrottleRDS:
		shows = w.throttled(f.Region)
	case fault.Dependency, fault.Promotion:
		shows = w.seen(f)
	case fault.Database:
		shows = w.suffers(f)
	case fault.Console:
		w.mu.Lock()
		shows = w.moved(f, int64(w.injected[f]))
		w.mu.Unlock()
	case fault.ReplicationLag:
		shows = w.lags(f.Peer, f.Duration/2)
	default:
		l := w.lambdas[f.Region]
		if l == nil {
			return 0, fmt.Errorf("embedded: %s: %w", f, fault.ErrUnsupported)
		}
		w.mu.Lock()
		since, injected := w.injected[f]
		w.mu.Unlock()
		if !injected {
			since = w.Clock()
		}
		return l.effects.wait(ctx, f, since)
	}
	for {
		at := w.Clock()
		call, cancel := context.WithTimeout(ctx, 5*probeEvery)
		seen := shows(call)
		cancel()
		if seen && ctx.Err() == nil {
			return at, nil
		}
		t := time.NewTimer(probeEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return 0, fmt.Errorf("embedded: %s had no effect: %w", f, ctx.Err())
		case <-t.C:
		}
	}
}

// mute asks whether a Region's server gives no answer. One that is read-only has
// answered.
func (w *world) mute(from, to dr.Region) func(context.Context) bool {
	server := w.dial(from, to)
	return func(ctx context.Context) bool {
		err := server.Probe(ctx)
		return err != nil && !errors.Is(err, failover.ErrReadOnly)
	}
}

// seen asks whether a half-failure has done something to a call since its injection, or
// since now where nothing was injected.
func (w *world) seen(f fault.Fault) func(context.Context) bool {
	w.mu.Lock()
	since, injected := w.injected[f]
	w.mu.Unlock()
	if !injected {
		since = w.Clock()
	}
	return func(context.Context) bool {
		_, ok := w.shownAt(f, since)
		return ok
	}
}

// suffers asks a server, by a client of the witness Region, whether it half works.
func (w *world) suffers(f fault.Fault) func(context.Context) bool {
	server := w.dial(w.setup.Topology.Witness, f.Region)
	if f.How == fault.Full {
		return func(ctx context.Context) bool {
			return errors.Is(w.admit(ctx, &kept{}, w.setup.Topology.Witness, f.Region, false), tooMany)
		}
	}
	return func(ctx context.Context) bool {
		began := w.Clock()
		err := server.Probe(ctx)
		switch f.How {
		case fault.CommitsSlow:
			return w.Clock()-began >= min(f.Duration, 5*probeEvery)
		case fault.ReadOnly:
			return errors.Is(err, failover.ErrReadOnly)
		}
		return err != nil && !errors.Is(err, failover.ErrReadOnly)
	}
}

// throttled asks a Region's RDS API, by a client in that Region, whether it throttles.
func (w *world) throttled(r dr.Region) func(context.Context) bool {
	client := aurora.NewClient(awsConfig(), r, endpoint("rds", r), w.http(r))
	throttling := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	return func(ctx context.Context) bool {
		_, err := client.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{})
		return throttling.IsErrorThrottle(err) == aws.TrueTernary
	}
}

// lags asks whether the newest record in a Region's database was that long on its way.
func (w *world) lags(to dr.Region, least time.Duration) func(context.Context) bool {
	return func(ctx context.Context) bool {
		lag, err := w.pair.DB(to).Lag(ctx)
		return err == nil && lag != nil && lag.Value >= least
	}
}
