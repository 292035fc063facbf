// Command failover-trigger is the Lambda function that moves the writer to its own
// Region. What it reads is in package boot, what it is put together from in package assembly,
// what it is invoked with in package event, what it does in package trigger.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/trigger"
	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
)

func main() { boot.Serve(boot.Trigger, build) }

func build(p boot.Process) (lambda.Handler, error) { return trigger.New(p.Trigger) }
