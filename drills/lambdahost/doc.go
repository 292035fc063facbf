// Package lambdahost runs Lambda functions on this machine as AWS would: the
// real binaries, each in a process of its own, behind the Runtime API on
// loopback. Drills use it to run exactly what is deployed, and to break it.
//
// One Host is the Lambda service of one Region. It starts a process per
// execution environment, keeps it frozen between invocations, reuses it, kills
// it at its deadline, throttles, queues and retries. Its Handler speaks the
// Invoke API, so that a function can call another with
// AWS_ENDPOINT_URL_LAMBDA. A Scheduler ticks a function every minute.
//
// Time is real, because processes are. Nothing listens beyond 127.0.0.1.
//
// # What is emulated, and where AWS says so
//
// Sources: [RAPI] docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, [ENV]
// .../lambda-runtime-environment.html, [EXT] .../runtimes-extensions-api.html
// and github.com/aws-samples/graceful-shutdown-with-aws-lambda, [ASYNC]
// .../invocation-async-error-handling.html, [VARS] .../configuration-envvars.html,
// [SDK] the API model in aws-sdk-go-v2/service/lambda v1.114.2, [GO]
// aws-lambda-go v1.55.1, [RIE] aws/aws-lambda-runtime-interface-emulator, [EB]
// docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html. [K] is
// knowledge that no source confirmed: a drill must not rest on it.
//
//   - The Runtime API 2018-06-01: next, response, error, init/error, its
//     headers, 202 for what is accepted [RAPI]. 400 InvalidRequestID, 403
//     InvalidStateTransition and 413 for a response over 6 MB [RIE, K].
//   - An invocation is complete when the process asks for the next one [ENV, GO].
//     The caller of this Host gets the answer then; AWS may hand it out a moment
//     earlier [K]. A process that dies after its answer has answered [K].
//   - Between invocations the environment is frozen [ENV]: SIGSTOP and SIGCONT
//     stand in for it. Clocks run on, sockets stay open, timers fire late.
//   - Init may take 10 s. When it fails or takes longer, it is run again as part
//     of the invocation, within the function's timeout [ENV]. What init/error
//     reported is the answer when the second attempt fails too [K].
//   - At the deadline the environment is reset: the process ends, the next call
//     starts cold, the error is Sandbox.Timedout, "RequestId: … Error: Task timed
//     out after 3.00 seconds" [ENV, RIE].
//   - A process that ends by itself is Runtime.ExitError, "RequestId: … Error:
//     Runtime exited with error: exit status 1" [seen in logs, RIE].
//   - A process gets no warning of its end: SIGKILL at once. If it has
//     registered an extension it gets SIGTERM first and then has 500 ms for an
//     internal one (what lambda.WithEnableSIGTERM registers), 300 ms when there
//     is an external one; the whole phase lasts 2 s, whose rest belongs to
//     external extensions [EXT, GO]. Those are not run here; see
//     Function.Extension. That a timeout's reset warns in the same way: [GO].
//   - Reserved concurrency: a call beyond it is 429 TooManyRequestsException,
//     ReservedFunctionConcurrentInvocationLimitExceeded [SDK].
//   - Asynchronous events are queued, tried three times with one and two minutes
//     between, and for throttles and service errors again for up to 6 h, from
//     1 s to 5 min apart; then they are discarded to the dead-letter queue.
//     They can arrive twice or never [ASYNC]. A retry keeps its request id [K].
//   - Of several warm environments the one that ran last is taken [K].
//   - Payloads: 6 MB synchronous, 1 MB asynchronous [SDK]. An empty one arrives
//     as {} [K].
//   - A schedule fires some time within its minute: 60 s precision [EB]. Rules
//     promise as little; in practice their phase is stable [K], so a jitter drawn
//     anew for every tick is the worst case.
//
// Not emulated: memory and CPU limits (Function.Memory is only told to the
// process), /tmp, versions and aliases, IAM, the client context, log tails,
// response streaming, external extensions' own processes.
package lambdahost
