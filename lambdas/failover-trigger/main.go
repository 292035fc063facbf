// Command failover-trigger is the Lambda function that moves the writer to its own
// Region. What it reads is in package boot, what it is invoked with in package event,
// what it does in package trigger.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

func main() {
	boot.Serve(boot.Trigger, build)
}

func build(p boot.Process) (lambda.Handler, error) {
	s := p.Settings
	table, err := dynamo.New(dynamo.Config{Clients: p.Tables, Region: s.Region, Table: s.Table, Cluster: s.Topology.GlobalCluster})
	if err != nil {
		return nil, err
	}
	return trigger.New(trigger.Config{
		Agent: p.Trigger, Name: s.Name, Marks: trigger.NewTable(table, s.Region), Fatal: boot.Expired, Log: p.Log,
	})
}
