package failover_test

import (
	"context"
	"errors"
	"time"

	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// wire is how one process calls.
type wire struct {
	*crashpoint.Wires
	process string
}

var errThrottled = errors.New("rate exceeded")

func (w wire) carry(ctx context.Context, op drtest.Op, act func() error) error {
	return w.Carry(ctx, crashpoint.Port(w.process+"/"+string(op)), act, func(way crashpoint.Way) error {
		if way.End == crashpoint.Throttling {
			return errThrottled
		}
		return errRefused
	})
}

// answered brings an answer along a call, unless it is lost on the way.
func answered[T any](ctx context.Context, w wire, op drtest.Op, ask func(context.Context) (T, error)) (T, error) {
	var got, none T
	if err := w.carry(ctx, op, func() (err error) { got, err = ask(ctx); return err }); err != nil {
		return none, err
	}
	return got, nil
}

// monitorThrough returns a monitor whose calls go through the wires.
func monitorThrough(wires *crashpoint.Wires, process string, cfg failover.MonitorConfig) failover.MonitorConfig {
	store := &storeWire{cfg.Leaser.(*drtest.StoreView), wire{wires, process}}
	cfg.Leaser, cfg.Reports = store, store
	db := &dbWire{cfg.Guard.Beater.(*drtest.Conn), wire{wires, process + ".guard"}}
	cfg.Guard.Beater, cfg.Guard.Fencer = db, db
	mover := cfg.Mover.(failover.ByController)
	mover.Controller = controllerThrough(wires, process, mover.Controller)
	cfg.Mover = mover
	return cfg
}

// triggerThrough returns a trigger whose calls go through the wires.
func triggerThrough(wires *crashpoint.Wires, process string, cfg failover.TriggerConfig) failover.TriggerConfig {
	store := &storeWire{cfg.Leaser.(*drtest.StoreView), wire{wires, process}}
	cfg.Leaser, cfg.Reports = store, store
	cfg.Controller = controllerThrough(wires, process, cfg.Controller)
	return cfg
}

func controllerThrough(wires *crashpoint.Wires, process string, cfg failover.ControllerConfig) failover.ControllerConfig {
	w := wire{wires, process}
	store := &storeWire{cfg.Leaser.(*drtest.StoreView), w}
	cfg.Leaser, cfg.Reports, cfg.Journal, cfg.Acknowledger = store, store, store, store
	cfg.Promoter = &controlWire{cfg.Promoter, w}
	cfg.Preflight = &preflightWire{cfg.Preflight, w}
	cfg.Beater = &dbWire{cfg.Beater.(*drtest.Conn), w}
	cfg.Router = &routerWire{cfg.Router, w}
	cfg.Notifier = &notifierWire{cfg.Notifier, w}
	return cfg
}

type storeWire struct {
	*drtest.StoreView
	w wire
}

func (s *storeWire) ReadLease(ctx context.Context) (failover.Lease, error) {
	return answered(ctx, s.w, drtest.OpReadLease, s.StoreView.ReadLease)
}

func (s *storeWire) RenewLease(ctx context.Context, held failover.Lease) (failover.Lease, error) {
	return answered(ctx, s.w, drtest.OpRenewLease, func(ctx context.Context) (failover.Lease, error) { return s.StoreView.RenewLease(ctx, held) })
}

func (s *storeWire) TakeLease(ctx context.Context, seen failover.Lease, c failover.Claim) (failover.Lease, error) {
	return answered(ctx, s.w, drtest.OpTakeLease, func(ctx context.Context) (failover.Lease, error) { return s.StoreView.TakeLease(ctx, seen, c) })
}

func (s *storeWire) ReleaseLease(ctx context.Context, held failover.Lease) (failover.Lease, error) {
	return answered(ctx, s.w, drtest.OpReleaseLease, func(ctx context.Context) (failover.Lease, error) { return s.StoreView.ReleaseLease(ctx, held) })
}

func (s *storeWire) Publish(ctx context.Context, h failover.Report) error {
	return s.w.carry(ctx, drtest.OpPublish, func() error { return s.StoreView.Publish(ctx, h) })
}

func (s *storeWire) Reports(ctx context.Context) ([]failover.Report, error) {
	return answered(ctx, s.w, drtest.OpReports, s.StoreView.Reports)
}

func (s *storeWire) Append(ctx context.Context, e failover.Entry) error {
	return s.w.carry(ctx, drtest.OpAppend, func() error { return s.StoreView.Append(ctx, e) })
}

func (s *storeWire) Latest(ctx context.Context) (failover.Entry, error) {
	return answered(ctx, s.w, drtest.OpLatest, s.StoreView.Latest)
}

func (s *storeWire) Settled(ctx context.Context, since time.Time) (int, error) {
	return answered(ctx, s.w, drtest.OpSettled, func(ctx context.Context) (int, error) { return s.StoreView.Settled(ctx, since) })
}

func (s *storeWire) Acknowledgement(ctx context.Context, execution, question string) (failover.Acknowledgement, error) {
	return answered(ctx, s.w, drtest.OpAcknowledged, func(ctx context.Context) (failover.Acknowledgement, error) {
		return s.StoreView.Acknowledgement(ctx, execution, question)
	})
}

type controlWire struct {
	failover.Promoter
	w wire
}

func (c *controlWire) Describe(ctx context.Context) (failover.Cluster, error) {
	return answered(ctx, c.w, drtest.OpDescribe, c.Promoter.Describe)
}

func (c *controlWire) Failover(ctx context.Context, to dr.Region) error {
	return c.w.carry(ctx, drtest.OpFailover, func() error { return c.Promoter.Failover(ctx, to) })
}

func (c *controlWire) Switchover(ctx context.Context, to dr.Region) error {
	return c.w.carry(ctx, drtest.OpSwitchover, func() error { return c.Promoter.Switchover(ctx, to) })
}

type preflightWire struct {
	failover.Preflighter
	w wire
}

func (p *preflightWire) Preflight(ctx context.Context) (failover.Readiness, error) {
	return answered(ctx, p.w, drtest.OpPreflight, p.Preflighter.Preflight)
}

// dbWire keeps what else a connection can do.
type dbWire struct {
	*drtest.Conn
	w wire
}

func (d *dbWire) Beat(ctx context.Context, b failover.Beat) error {
	return d.w.carry(ctx, drtest.OpBeat, func() error { return d.Conn.Beat(ctx, b) })
}

func (d *dbWire) Fence(ctx context.Context, e dr.Epoch) error {
	return d.w.carry(ctx, drtest.OpFence, func() error { return d.Conn.Fence(ctx, e) })
}

func (d *dbWire) Open(ctx context.Context, e dr.Epoch) error {
	return d.w.carry(ctx, drtest.OpOpen, func() error { return d.Conn.Open(ctx, e) })
}

type routerWire struct {
	failover.Router
	w wire
}

func (r *routerWire) Redirect(ctx context.Context, to dr.Region, e dr.Epoch) error {
	return r.w.carry(ctx, drtest.OpRedirect, func() error { return r.Router.Redirect(ctx, to, e) })
}

func (r *routerWire) Reach(ctx context.Context, e dr.Epoch) (dr.Region, error) {
	return answered(ctx, r.w, drtest.OpReach, func(ctx context.Context) (dr.Region, error) { return r.Router.Reach(ctx, e) })
}

type notifierWire struct {
	failover.Notifier
	w wire
}

func (n *notifierWire) Notify(ctx context.Context, m failover.Message) error {
	return n.w.carry(ctx, drtest.OpNotify, func() error { return n.Notifier.Notify(ctx, m) })
}
