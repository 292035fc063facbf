package docker

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/drills/fault"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/clients"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/cloudnode"
	"github.com/lifeboat-dr/lifeboat/drills/target/docker/internal/mysqld"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// moves are the moves of kind Console, as the control plane calls them.
var moves = map[fault.How]string{fault.Switchover: cloudnode.Switchover, fault.Forced: cloudnode.Failover}

// halfBuilt says why a half-failure is not built on real servers; empty for one that is.
// The embedded target has all of them.
func (w *world) halfBuilt(f fault.Fault) (why string) {
	const elsewhere = "it is built on the embedded target only"
	member := slices.Contains(w.setup.Topology.Members, f.Region)
	switch {
	case f.Kind == fault.Dependency && (f.Service != fault.DynamoDB || f.How != fault.Refuse),
		f.Kind == fault.Database && f.How != fault.Full,
		f.Kind == fault.Console && moves[f.How] == "",
		f.Kind == fault.Promotion:
		return elsewhere
	case f.Kind == fault.Dependency:
		return ""
	case !member:
		return "there is no database in " + f.Region.String()
	}
	return ""
}

// half carries a half-failure out.
func (w *world) half(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	switch f.Kind {
	case fault.Dependency:
		return w.refuseStore(ctx, f)
	case fault.Database:
		return w.crowd(ctx, f)
	case fault.Console:
		query := url.Values{"how": {moves[f.How]}, "region": {f.Region.String()}}
		err := w.call(ctx, cloudName, "/cloud/console", query, nil, nil)
		return fault.Once(func(context.Context) error { return nil }), err // a person's move stays
	}
	return nil, w.Supports(f)
}

// refuseStore has the lease store of a Region, or of all, refuse every call.
func (w *world) refuseStore(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	r := f.Region
	if r == fault.Everywhere {
		r = ""
	}
	set := func(ctx context.Context, on bool) error {
		query := url.Values{"fault": {cloud.On(r, cloud.DynamoDB, "*").Fail(503).String()}, "on": {strconv.FormatBool(on)}}
		return w.call(ctx, cloudName, "/cloud/fault", query, nil, nil)
	}
	return fault.Once(func(ctx context.Context) error { return set(ctx, false) }), set(ctx, true)
}

// crowd fills a Region's server with sessions of applications in that Region. The last one
// is the administrator's: MySQL reserves a session for it, and Aurora does not.
func (w *world) crowd(ctx context.Context, f fault.Fault) (fault.Heal, error) {
	body := clients.Crowd{Address: w.database(f.Region).Endpoint().String()}
	for _, a := range []mysqld.Account{mysqld.App, mysqld.Admin} {
		body.Accounts = append(body.Accounts, clients.Account(a))
	}
	err := w.call(ctx, clientsName(f.Region), "/crowd/start", nil, body, nil)
	return fault.Once(func(ctx context.Context) error {
		return w.call(ctx, clientsName(f.Region), "/crowd/stop", nil, nil, nil)
	}), err
}

// full reports whether a watch's answer is that of a server without room.
func full(t clients.Turn) bool { return strings.Contains(t.Error, "Error 1040") }

// refused asks when the lease store of a Region, or of any, has last refused a call.
func (w *world) refused(ctx context.Context, f fault.Fault, e effect) (time.Duration, bool, error) {
	return w.counted(ctx, "/cloud/refused", e, func(r dr.Region) bool { return f.Region == fault.Everywhere || f.Region == r })
}

// counted asks when a call of some Regions was last counted, and whether that was after a
// fault.
func (w *world) counted(ctx context.Context, path string, e effect, of func(dr.Region) bool) (time.Duration, bool, error) {
	cloud, err := w.fleet.Node(cloudName)
	if err != nil {
		return 0, false, err
	}
	var calls cloudnode.Calls
	if err := cloud.Get(ctx, path, &calls); err != nil {
		return 0, false, err
	}
	for r, c := range calls {
		if at := time.Duration(c.Last - w.origin); of(r) && c.Calls > 0 && at >= e.since {
			return at, true, nil
		}
	}
	return 0, false, nil
}

// moved asks when the control plane has taken on what a person asked for.
func (w *world) moved(ctx context.Context, f fault.Fault, e effect) (time.Duration, bool, error) {
	events, err := w.events(ctx)
	if err != nil {
		return 0, false, err
	}
	for _, op := range events.Operations {
		if at := time.Duration(op.Accepted - w.origin); op.Kind == moves[f.How] && op.To == f.Region && at >= e.since {
			return at, true, nil
		}
	}
	return 0, false, nil
}

// events reads what the control plane has done so far.
func (w *world) events(ctx context.Context) (events cloudnode.Events, err error) {
	n, err := w.fleet.Node(cloudName)
	if err != nil {
		return events, err
	}
	if err := n.Get(ctx, "/cloud/events", &events); err != nil {
		return events, fmt.Errorf("docker: read what the control plane has done: %w", err)
	}
	return events, nil
}
