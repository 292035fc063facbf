// Command health-monitor is the Lambda function that watches, keeps its Region's lease
// and reports. What it reads is in package boot, what it does in package monitor, which
// of a Region's processes does it in package monitorlease, whom it asks in package invoker.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

func main() { boot.Serve(boot.Monitor, build) }

func build(p boot.Process) (lambda.Handler, error) {
	s := p.Settings
	table, err := dynamo.New(dynamo.Config{Clients: p.Tables, Region: s.Region, Table: s.Table, Cluster: s.Topology.GlobalCluster})
	if err != nil {
		return nil, err
	}
	cfg := monitor.Config{Agent: monitor.Witness(p.Witness), Fatal: boot.Expired}
	if s.Member() {
		cfg.Agent, cfg.Role = monitor.Member(p.Monitor), p.Role
	}
	return monitor.New(cfg.WithMonitorLease(monitorlease.NewTable(table), p.Log))
}
