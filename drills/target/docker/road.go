package docker

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// Road is the node of a link. Cutting it with mode netfault.All cuts the
// Regions off from each other: packets vanish, both ways or one way.
type Road struct{ *Node }

// Lag makes replication from the database in Region source, and nothing else,
// take extra longer than the link does, reaching that in a straight line over
// the given time. Zero extra ends it; what is under way still takes its time.
//
// Replication gives a connection up that is silent for replica_net_timeout
// (4 s); making a new one takes ten round trips and never succeeds through a
// delay longer than that. So approach a lag of
// seconds slowly: with over at twice extra, a heartbeat that is due each second
// comes every 1.5 s. What is under way is on the road and not in the Region: it
// arrives after the Region's servers are killed, and is lost with the Region only
// by Blackout.
func (r *Road) Lag(ctx context.Context, source string, extra, over time.Duration) error {
	return r.Call(ctx, "/lag", url.Values{"flow": {source}, "extra": {extra.String()}, "over": {over.String()}}, nil, nil)
}

// clearLag ends the lag from each of sources.
func (r *Road) clearLag(ctx context.Context, sources []string) error {
	var errs []error
	for _, s := range sources {
		errs = append(errs, r.Lag(ctx, s, 0, 0))
	}
	return errors.Join(errs...)
}
