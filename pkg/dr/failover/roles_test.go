package failover_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/drtest"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// TestARoleNamesEverythingThatItLacks: one error names every missing part.
func TestARoleNamesEverythingThatItLacks(t *testing.T) {
	says := func(t *testing.T, err error, want ...string) {
		t.Helper()
		for _, w := range want {
			require.ErrorContains(t, err, w)
		}
	}
	t.Run("monitor", func(t *testing.T) {
		_, err := failover.NewMonitor(failover.MonitorConfig{Region: west, Topology: topology, Policy: dr.Policy{RPOGuard: true, Watchdog: true}})
		says(t, err, "failover: monitor: Guard.Beater, Guard.Fencer, Guard.Isolator, Guard.Releaser, Guard.Roles, Guard.Plane, Guard.Promises, "+
			"Leaser, Reports, Peer, Bootstrapper, Mover, Notifier are required", "no Probers", "RPOGuard needs a Replica", "Watchdog needs a Fencer")
	})
	t.Run("monitor by trigger", func(t *testing.T) {
		_, err := failover.NewMonitor(failover.MonitorConfig{Region: west, Topology: topology, Mover: failover.ByTrigger{}})
		says(t, err, "Mover.Trigger, Mover.Journal are required")
	})
	t.Run("monitor by controller", func(t *testing.T) {
		_, err := failover.NewMonitor(failover.MonitorConfig{Region: west, Topology: topology, Mover: failover.ByController{}})
		says(t, err, "Mover.Controller.Journal, Mover.Controller.Acknowledger, Mover.Controller.Promoter, Mover.Controller.Preflight, "+
			"Mover.Controller.Beater, Mover.Controller.Router, Mover.Controller.Notifier are required")
	})
	t.Run("trigger", func(t *testing.T) {
		_, err := failover.NewTrigger(failover.TriggerConfig{Region: west, Topology: dr.Topology{Members: topology.Members}})
		says(t, err, "GlobalCluster is empty", "no Probers", "failover: trigger: Controller.Journal, Controller.Acknowledger, Controller.Promoter, "+
			"Controller.Preflight, Controller.Beater, Controller.Router, Controller.Notifier, Leaser, Reports are required")
	})
	t.Run("witness", func(t *testing.T) {
		_, err := failover.NewWitness(failover.WitnessConfig{Region: witness, Topology: topology, Policy: dr.Policy{Confirm: 1}})
		says(t, err, "Confirm 1", "no Probers", "failover: witness: Leaser, Reports, Notifier are required")
	})
}

// TestRolesRefuseNonsense changes one thing in a configuration that works.
func TestRolesRefuseNonsense(t *testing.T) {
	w, err := drtest.NewWorld(drtest.WorldConfig{Topology: topology})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*failover.MonitorConfig)
		want   string
	}{
		"nothing":                      {func(*failover.MonitorConfig) {}, ""},
		"no probers":                   {func(c *failover.MonitorConfig) { c.Probers = nil }, "no Probers"},
		"a prober that is nil":         {func(c *failover.MonitorConfig) { c.Probers = append(c.Probers, nil) }, "Probers[1] is nil"},
		"a member without a guard":     {func(c *failover.MonitorConfig) { c.Guard = failover.GuardConfig{} }, "Guard.Beater"},
		"a guard of another Region":    {func(c *failover.MonitorConfig) { c.Guard.Region = east }, `Guard.Region is "us-east-1"`},
		"a guard with a foreign peer":  {func(c *failover.MonitorConfig) { c.Guard.Peer = witness }, `Guard.Peer is "us-east-2"`},
		"in the witness":               {func(c *failover.MonitorConfig) { c.Region = witness }, "see NewWitness"},
		"in a Region of no deployment": {func(c *failover.MonitorConfig) { c.Region = "eu-west-1" }, `"eu-west-1" is no member`},
		"without a Region":             {func(c *failover.MonitorConfig) { c.Region = "" }, `"" is no member`},
		"a foreign controller": {func(c *failover.MonitorConfig) {
			c.Mover = failover.ByController{Controller: w.Controller(east, dr.Policy{}, nil, nil)}
		}, `Mover.Controller.Region is "us-east-1"`},
		"no mover":                       {func(c *failover.MonitorConfig) { c.Mover = nil }, "Mover is required"},
		"a trigger without its journal":  {func(c *failover.MonitorConfig) { c.Mover = failover.ByTrigger{Trigger: &counted{}} }, "Mover.Journal is required"},
		"an RPO guard without a replica": {func(c *failover.MonitorConfig) { c.Policy.RPOGuard, c.Guard.Replica = true, nil }, "RPOGuard needs a Replica"},
		"no notifier":                    {func(c *failover.MonitorConfig) { c.Notifier = nil }, "Notifier is required"},
	} {
		t.Run("monitor/"+name, func(t *testing.T) {
			cfg := w.Monitor(west, dr.Policy{}, nil)
			c.change(&cfg)
			_, err := failover.NewMonitor(cfg)
			refused(t, c.want, err)
		})
	}
	for name, c := range map[string]struct {
		change func(*failover.TriggerConfig)
		want   string
	}{
		"nothing":              {func(*failover.TriggerConfig) {}, ""},
		"no probers":           {func(c *failover.TriggerConfig) { c.Probers = []health.Prober{} }, "no Probers"},
		"of a non-member":      {func(c *failover.TriggerConfig) { c.Region = witness }, "there is nothing to promote"},
		"a foreign controller": {func(c *failover.TriggerConfig) { c.Controller.Region = east }, `Controller.Region is "us-east-1"`},
		"no controller":        {func(c *failover.TriggerConfig) { c.Controller = failover.ControllerConfig{} }, "Controller.Promoter"},
	} {
		t.Run("trigger/"+name, func(t *testing.T) {
			cfg := w.Trigger(west, dr.Policy{}, nil)
			c.change(&cfg)
			_, err := failover.NewTrigger(cfg)
			refused(t, c.want, err)
		})
	}
	for name, c := range map[string]struct {
		change func(*failover.WitnessConfig)
		want   string
	}{
		"nothing":           {func(*failover.WitnessConfig) {}, ""},
		"no probers":        {func(c *failover.WitnessConfig) { c.Probers = nil }, "no Probers"},
		"that is a member":  {func(c *failover.WitnessConfig) { c.Region = east }, "is a member: its writer would have no guard"},
		"of another Region": {func(c *failover.WitnessConfig) { c.Region = "eu-west-1" }, "is not the topology's witness"},
		"where there is none": {func(c *failover.WitnessConfig) {
			c.Topology.Witness, c.Region = "", ""
		}, "is not the topology's witness"},
	} {
		t.Run("witness/"+name, func(t *testing.T) {
			cfg := w.Witness(dr.Policy{}, nil)
			c.change(&cfg)
			_, err := failover.NewWitness(cfg)
			refused(t, c.want, err)
		})
	}
}

func refused(t *testing.T, want string, err error) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, want)
}
