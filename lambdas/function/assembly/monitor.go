package assembly

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Monitor returns the health monitor of the Region: a member's, or the witness's.
func Monitor(c Config) (monitor.Config, error) {
	build := c.witness
	if c.member() {
		build = c.guarding
	}
	cfg, err := build()
	if err != nil {
		return monitor.Config{}, err
	}
	cfg.Fatal = c.Fatal
	return cfg.WithMonitorLease(monitorlease.NewTable(c.Table.Store), c.Log), nil
}

func (c Config) witness() (monitor.Config, error) {
	control, err1 := c.control(c.apis())
	people, err2 := c.people()
	return monitor.Config{Agent: monitor.Witness{
		Region: c.Region, Topology: c.Topology, Policy: c.Policy, Leaser: c.Table, Reports: c.Table,
		Probers: append([]health.Prober{control}, c.Probers...), Notifier: people, Failures: c.Table.Failures, Trace: c.Trace,
	}}, errors.Join(err1, err2)
}

func (c Config) guarding() (monitor.Config, error) {
	own, err := c.Databases.Own()
	if err != nil {
		return monitor.Config{}, err
	}
	apis := c.apis()
	cluster, err1 := c.cluster(apis)
	probers, err2 := c.probers(apis, own)
	people, err3 := c.people()
	role, err4 := c.role()
	peer, err5 := c.Databases.PeerWriter()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return monitor.Config{}, err
	}
	bootstrapper, err1 := aurora.NewBootstrapper(aurora.BootstrapperConfig{Region: c.Region, Cluster: cluster, Database: own})
	guard, err2 := c.guard(apis, own, cluster)
	return monitor.Config{Role: role, Agent: monitor.Member{
		Region: c.Region, Topology: c.Topology, Policy: c.Policy, Leaser: c.Table, Reports: c.Table, Probers: probers,
		Guard: guard, Peer: peer, Bootstrapper: bootstrapper,
		Mover:    failover.ByTrigger{Trigger: invoker.New(c.Region, c.Trigger, c.Lambda), Journal: c.Table},
		Notifier: people, Failures: c.Table.Failures, Trace: c.Trace,
	}}, errors.Join(err1, err2)
}

// guard returns what keeps the lease and the local writer.
func (c Config) guard(apis map[dr.Region]*rds.Client, own Database, plane failover.Plane) (failover.GuardConfig, error) {
	isolator, err1 := aurora.NewIsolator(aurora.IsolatorConfig{Region: c.Region, Cluster: c.Clusters[c.Region], API: apis[c.Region]})
	peer, err2 := c.Databases.Peer()
	return failover.GuardConfig{
		Beater: own, Fencer: own, Isolator: isolator, Replica: peer, Releaser: c.Table, Roles: own, Plane: plane, Promises: own,
		Peer: c.Topology.Peer(c.Region),
	}, errors.Join(err1, err2)
}
