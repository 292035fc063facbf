// Command health-monitor is the Lambda function that watches, keeps its Region's lease
// and reports. What it reads is in package boot, what it is put together from in package
// assembly, what it does in package monitor, which of a Region's processes does it in package
// monitorlease, and what it asks to move the writer in package invoker.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitor"
	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
)

func main() { boot.Serve(boot.Monitor, build) }

func build(p boot.Process) (lambda.Handler, error) { return monitor.New(p.Monitor) }
