package trigger_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// edited are reports with a change to what is read.
type edited struct {
	inner failover.Reports
	edit  func([]failover.Report) []failover.Report
}

func (e edited) Publish(ctx context.Context, h failover.Report) error { return e.inner.Publish(ctx, h) }

func (e edited) Reports(ctx context.Context) ([]failover.Report, error) {
	all, err := e.inner.Reports(ctx)
	return e.edit(slices.Clone(all)), err
}

// reading asks the west's trigger for a status that reads changed reports.
func (r *rig) reading(edit func([]failover.Report) []failover.Report) *event.Situation {
	cfg := r.config(west)
	cfg.Agent.Reports = edited{cfg.Agent.Reports, edit}
	a, err := r.call(cfg, lambdaLimit, `{"mode":"status"}`)
	require.NoError(r.t, err)
	return a.Status
}

// died has the west's report say that the writer's monitor died before the writer did.
func died(all []failover.Report) []failover.Report {
	for i := range all {
		all[i].MonitorDiedFirst = all[i].Region == west
	}
	return all
}

// What keeps the automation from a failover is named, and then a status does not say that
// there would be one.
func TestStatusSaysWhatKeepsItFromAFailover(t *testing.T) {
	for name, c := range map[string]struct {
		policy  dr.Policy
		before  func(r *rig) // the east is lost
		edit    func([]failover.Report) []failover.Report
		would   bool
		asks    failover.Code
		missing string
	}{
		"nothing does": {would: true},
		"a pause": {before: func(r *rig) {
			_, err := r.invoke(west, lambdaLimit, `{"mode":"pause","for":"2h","by":"jane","reason":"an engine upgrade"}`)
			require.NoError(r.t, err)
		}, missing: "an end of the pause: jane has paused the automation until"},
		"a pause that is over": {before: func(r *rig) {
			_, err := r.invoke(west, lambdaLimit, `{"mode":"pause","for":"1m","by":"jane","reason":"an engine upgrade"}`)
			require.NoError(r.t, err)
			r.wait(time.Minute)
		}, would: true},
		"the policy": {policy: dr.Policy{Automatic: dr.AutomaticNever}, missing: "it observes only"},
		"a target that can't be promoted": {before: func(r *rig) { r.Cluster.SetMissing(west, `cluster west is "upgrading"`) },
			asks: failover.CodeTargetNotReady, missing: `a target that can be promoted: cluster west is "upgrading"`},
		"a monitor that died first": {edit: died, asks: failover.CodeNoFenceProof, missing: "the writer's monitor went silent while the writer still served"},
		"one that died first, as the witness says": {edit: func(all []failover.Report) []failover.Report {
			for i := range all {
				all[i].MonitorDiedFirst = all[i].Region == witness
			}
			return all
		}, would: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, drtest.WorldConfig{}, c.policy, func(t *testing.T, r *rig) {
				if c.before != nil {
					c.before(r)
				}
				r.CutRegion(east, true)
				r.wait(20 * time.Second)
				s := r.reading(func(all []failover.Report) []failover.Report {
					if c.edit == nil {
						return all
					}
					return c.edit(all)
				})
				v := s.Verdict
				require.Equal(t, "Impaired", v.State, "%v", v.Missing)
				require.Equal(t, c.would, v.Would, "%v", v.Missing)
				require.Equal(t, c.asks, v.Question)
				require.Contains(t, strings.Join(v.Missing, "\n"), c.missing)
				require.Equal(t, c.would, len(v.Missing) == 0, "%v", v.Missing)
			})
		})
	}
}

// A monitor that died first proves nothing once the lease is renewed again.
func TestStatusForgetsThatTheMonitorDiedFirst(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		v := r.reading(died).Verdict
		require.Equal(t, "Healthy", v.State)
		require.Empty(t, v.Question)
	})
}

// While an execution is open no other one begins.
func TestStatusNamesTheExecutionThatIsOpen(t *testing.T) {
	bubble(t, lagging, dr.Policy{}, func(t *testing.T, r *rig) {
		r.CutRegion(east, true)
		a, err := r.invoke(west, lambdaLimit, request(event.Failover, west))
		require.NoError(t, err)
		v := r.status(west).Status.Verdict
		require.False(t, v.Would)
		require.Contains(t, v.Missing, "an end of execution "+a.Execution+", which moves the writer to us-west-2")
	})
}

// The east's server is lost, and its monitor can't ask it: it renews the lease without a
// committed write behind it. That keeps the lease, and is no sign of service.
func TestStatusTellsOfABlindMonitor(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		require.Zero(t, r.status(west).Status.Writer.Lease.UnservedFor)
		r.Net.SetHook(func(c drtest.Call) drtest.Fault {
			if c.From == east && slices.Contains([]drtest.Op{drtest.OpBeat, drtest.OpFence, drtest.OpOpen, drtest.OpRole, drtest.OpReplicated}, c.Op) {
				return drtest.Fault{Err: health.ErrNotAsked}
			}
			return drtest.Fault{}
		})
		r.Pair.DB(east).Kill()
		r.wait(30 * time.Second)
		a := r.status(west)
		l, v := a.Status.Writer.Lease, a.Status.Verdict
		require.False(t, l.Expired, "it is renewed")
		require.InDelta(t, 30, time.Duration(l.UnservedFor).Seconds(), 6)
		require.Contains(t, a.Detail, "renewed without a committed write for about")
		require.Equal(t, "Impaired", v.State, "%v", v.Missing)
		require.False(t, v.Would)
		require.Equal(t, failover.CodeMonitorBlind, v.Question)
		require.Contains(t, strings.Join(v.Missing, "\n"), "us-east-1 renews its lease without a committed write")
	})
}

// What a Region outside the topology reports is no vantage, no lag and no proof of a silence.
func TestStatusHearsNoStranger(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		seq := uint64(0)
		s := r.reading(func(all []failover.Report) []failover.Report {
			seq++
			l, _ := r.Store.Lease()
			dead := func(f health.Family) failover.Observation {
				return failover.Observation{Subject: east, Family: f, Answer: health.Dead, Cause: "a stranger's", Samples: 9}
			}
			return append(all, failover.Report{
				Region: "eu-west-1", Seq: seq, At: time.Now(), LeaseRev: l.Rev, LeaseUnchanged: time.Hour, MonitorDiedFirst: true,
				Observations: []failover.Observation{dead(health.SQL), dead(health.Heartbeat), dead(health.Control)},
				Lag:          &health.Lag{Value: time.Hour, At: time.Now().Add(time.Minute)},
			})
		})
		require.Equal(t, "Healthy", s.Verdict.State, "%v", s.Verdict.Missing)
		require.Less(t, time.Duration(s.Writer.Lease.SilentFor), time.Second)
		require.False(t, s.Writer.Lease.Expired)
		require.Less(t, time.Duration(s.Lag.Value), time.Second)
		for _, server := range s.Writer.Servers {
			require.NotEqual(t, dr.Region("eu-west-1"), server.SeenBy)
		}
	})
}

// That no monitor reports is no sign that the writer's Region serves.
func TestStatusWithoutAnyReport(t *testing.T) {
	bubble(t, drtest.WorldConfig{}, dr.Policy{}, func(t *testing.T, r *rig) {
		v := r.reading(func([]failover.Report) []failover.Report { return nil }).Verdict
		require.Equal(t, "Unknown", v.State)
		require.False(t, v.Would)
	})
}
