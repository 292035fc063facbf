package assembly

import (
	"errors"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// Trigger returns the failover trigger of a member Region.
func Trigger(c Config) (trigger.Config, error) {
	own, err := c.Databases.Own()
	if err != nil {
		return trigger.Config{}, err
	}
	apis := c.apis()
	cluster, err1 := c.cluster(apis)
	probers, err2 := c.probers(apis, own)
	people, err3 := c.people()
	role, err4 := c.role()
	endpoint, err5 := c.Databases.Endpoint()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return trigger.Config{}, err
	}
	preflight, err := aurora.NewPreflight(aurora.PreflightConfig{
		Cluster: cluster, Member: c.Clusters[c.Region], API: apis[c.Region], Database: own,
	})
	return trigger.Config{
		Name: c.Name, Marks: trigger.NewTable(c.Table.Store, c.Region), Fatal: c.Fatal, Log: c.Log,
		Agent: failover.TriggerConfig{
			Region: c.Region, Topology: c.Topology, Policy: c.Policy, Leaser: c.Table, Reports: c.Table, Probers: probers, Trace: c.Trace,
			Controller: failover.ControllerConfig{
				Journal: c.Table, Acknowledger: c.Table, Promoter: cluster, Preflight: preflight, Beater: own,
				Router: aurora.Router{Redirecter: role, Reacher: endpoint}, Notifier: people, Trigger: c.Trigger,
			},
		},
	}, err
}
