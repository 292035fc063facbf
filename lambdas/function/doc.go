// Package function is the folder of what the deployed functions do, apart from how they
// start: package monitor and package trigger are the handlers, package monitorlease says which
// process of a Region works, package event what a trigger is asked with and answers, and
// package invoker how a monitor asks it. The programs in lambdas/health-monitor and
// lambdas/failover-trigger build them from the environment (lambdas/internal/boot);
// drills call them in process.
package function
