// Package tf runs terraform over the units that [infra/render] has written: find it,
// init, plan, check, apply, carry outputs from one unit to the next, destroy.
//
//	binary, err := tf.Find(ctx, tf.FindOptions{})
//	deployment, err := tf.Open(tf.Options{Dir: "build/tf", Units: config.Units(), Binary: binary, Progress: progress.Event})
//	plans, err := deployment.PlanAll(ctx)
//	err = deployment.ApplyAll(ctx)
//
// What is applied is always a saved plan that [Check] has passed. A unit has its own
// state, so a run that stops halfway loses nothing: the [UnitError] says what is done,
// and the same call goes on. Cancel the context to stop: terraform finishes the resource
// that it is at, writes its state and gives its lock back, which can take as long as
// Aurora does. Do not kill the process meanwhile; [WithSignals] sees to that.
//
// Errors have types that say what to do: [LockedError], [StalePlanError],
// [CancelledError], [CredentialsError], [RefusedError], [ProtectedError],
// [StateNotWrittenError], and [DiagnosticsError] for whatever else terraform reports.
//
// Secrets: terraform takes its credentials from the environment, never from an
// argument. Events, errors and carried outputs hold no sensitive value; states, saved
// plans and [Plan].JSON do.
//
// terraform-exec's known traps are worked around here and nowhere else; each has a test
// named TestTrap….
//
// [infra/render]: https://pkg.go.dev/github.com/lifeboat-dr/lifeboat/pkg/infra/render
package tf
