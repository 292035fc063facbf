package invoker_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/event"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/invoker"
)

// lambdaAPI is Lambda with a trigger of which one invocation drives; another one says so
// after half a second.
type lambdaAPI struct {
	mu    sync.Mutex
	in    []*lambda.InvokeInput
	takes time.Duration // of an execution
	until time.Time     // when the one that runs has ended
	lose  bool          // no answer comes
	said  string        // by the trigger, as it failed
	gives string        // the trigger's answer, when it has not failed
	err   error         // of Lambda
	open  int           // calls whose answer is waited for
	most  int           // of them at once
}

func (i *lambdaAPI) Invoke(ctx context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.in = append(i.in, in)
	if i.err != nil {
		return nil, i.err
	}
	takes, out := i.takes, &lambda.InvokeOutput{StatusCode: 200}
	if time.Now().Before(i.until) && !i.lose {
		takes, out.Payload = min(takes, 500*time.Millisecond), []byte(`{"driven":true}`)
	} else {
		i.until = time.Now().Add(i.takes)
	}
	if i.gives != "" {
		out.Payload = []byte(i.gives)
	}
	i.open++
	i.most = max(i.most, i.open)
	lose, over := i.lose, time.After(takes)
	if i.said != "" {
		out.FunctionError, out.Payload = aws.String("Unhandled"), []byte(i.said)
	}
	i.mu.Unlock()
	var err error
	if lose {
		over = nil
	}
	select {
	case <-ctx.Done():
		err = ctx.Err() // the execution goes on
	case <-over:
	}
	i.mu.Lock()
	i.open--
	return out, err
}

// asks is how often it was invoked, after everything has come to rest.
func (i *lambdaAPI) asks() int {
	synctest.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.in)
}

// says sets what the trigger says as it fails.
func (i *lambdaAPI) says(said string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.said = said
}

func (i *lambdaAPI) waiting() int {
	synctest.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.open
}

const name = "lifeboat-prod-failover-trigger"

// ask asks as agents do, within a deadline that ends at once.
func ask(t *testing.T, d *invoker.Invoker, reason string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	defer func() { require.Zero(t, time.Since(began), "the monitor must not be held up") }()
	return d.Ask(ctx, reason)
}

func TestTheTriggerIsAskedOnceInTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &lambdaAPI{takes: 100 * time.Millisecond} // it has nothing to do
		d := invoker.New("us-west-2", name, i)
		for range 41 { // ten seconds, four times a second
			require.NoError(t, ask(t, d, "sql dead\n\x1b[2J"+strings.Repeat("é", 2000)))
			<-time.After(250 * time.Millisecond)
		}
		require.Equal(t, 6, i.asks())
		require.Equal(t, name, aws.ToString(i.in[0].FunctionName))
		require.Equal(t, types.InvocationTypeRequestResponse, i.in[0].InvocationType, "an event would be queued behind the execution")
		w, err := event.Parse(i.in[0].Payload)
		require.NoError(t, err, "whatever the reason, the trigger takes it")
		require.Equal(t, event.Failover, w.Mode)
		require.EqualValues(t, "us-west-2", w.Target)
		require.NoError(t, d.HangUp())
	})
}

func TestAnExecutionOfMinutesHasOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &lambdaAPI{takes: 3 * time.Minute}
		d := invoker.New("us-west-2", name, i)
		for range 30 {
			require.NoError(t, ask(t, d, "impaired"))
			<-time.After(2 * time.Second)
			require.Equal(t, 1, i.waiting(), "the execution's own response is waited for")
		}
		require.LessOrEqual(t, i.asks(), 11, "every five seconds it is asked whether it is driven")
		require.Equal(t, 2, i.most)

		began := time.Now()
		require.NoError(t, d.HangUp(), "the monitor's work ends")
		require.Zero(t, time.Since(began))
		require.Zero(t, i.waiting())

		next := invoker.New("us-west-2", name, i) // of the process after it
		for range 10 {
			require.NoError(t, ask(t, next, "impaired"))
			<-time.After(2 * time.Second)
			require.Zero(t, i.waiting(), "it has said that another invocation drives, and ended")
		}
		require.NoError(t, next.HangUp(), "that is no error")
		require.Equal(t, 2, i.most)
	})
}

func TestADeadConnectionDoesNotCountAsAskedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &lambdaAPI{lose: true, takes: time.Second}
		d := invoker.New("us-west-2", name, i)
		for range 30 {
			require.NoError(t, ask(t, d, "impaired"))
			require.LessOrEqual(t, i.waiting(), 2)
			<-time.After(time.Second)
		}
		require.Equal(t, 6, i.asks(), "every five seconds")
		require.NoError(t, d.HangUp(), "who hangs up hears no error")
		require.Zero(t, i.waiting())
	})
}

func TestWhatFailedIsToldAndAskedAgainAtOnce(t *testing.T) {
	accountFull := &types.TooManyRequestsException{Reason: types.ThrottleReasonConcurrentInvocationLimitExceeded, Message: aws.String("Rate Exceeded.")}
	triggerFull := &types.TooManyRequestsException{Reason: types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded, Message: aws.String("Rate Exceeded.")}
	for what, c := range map[string]struct {
		err   error
		said  string
		gives string
		want  string
	}{
		"the trigger's own concurrency is all": {err: triggerFull, want: "Rate Exceeded. (ReservedFunctionConcurrentInvocationLimitExceeded): all places of its reserved concurrency are taken"},
		"Lambda refuses":                       {err: errors.New("access denied"), want: "invoker: invoke " + name + " in us-west-2: access denied"},
		"the account's own concurrency is all": {err: accountFull, want: "Rate Exceeded. (ConcurrentInvocationLimitExceeded): the account's concurrency in this Region is used up"},
		"the trigger fails": {said: `{"errorMessage":"the table\nis gone","errorType":"errorString"}`,
			want: "invoker: invoke " + name + " in us-west-2: it failed (Unhandled): the table is gone: its log"},
		"the trigger refuses": {gives: `{"refused":"bad-request","state":"Steady","detail":"event: key \"promises\" is unknown","do":"send a\nstatus"}`,
			want: "invoker: invoke " + name + ` in us-west-2: it refused (bad-request): event: key "promises" is unknown: send a status`},
		"the trigger is killed": {said: `no JSON`, want: "it failed (Unhandled): without a message"},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &lambdaAPI{err: c.err, said: c.said, gives: c.gives}
				d := invoker.New("us-west-2", name, i)
				require.NoError(t, ask(t, d, "r"), "nothing is known yet")
				require.Equal(t, 1, i.asks())
				i.err, i.said, i.gives = nil, "", ""
				require.ErrorContains(t, ask(t, d, "r"), c.want)
				require.Equal(t, 2, i.asks(), "one that failed was none")
				require.NoError(t, ask(t, d, "r"), "it is told once")
				require.Equal(t, 2, i.asks())

				<-time.After(2 * time.Second)
				i.err, i.said, i.gives = c.err, c.said, c.gives
				require.NoError(t, ask(t, d, "r"))
				require.Equal(t, 3, i.asks())
				require.ErrorContains(t, d.HangUp(), c.want, "no later request returns it")
				require.NoError(t, d.HangUp())
			})
		})
	}
}

// While a question is worked on its end is heard. A failure that was not told yet, the rest
// before a repetition and the end are no wait.
func TestWaitsForWhatIsWorkedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &lambdaAPI{takes: 10 * time.Second}
		d := invoker.New("us-west-2", name, i)
		require.False(t, d.Waits())
		require.NoError(t, ask(t, d, "r"))
		require.True(t, d.Waits())
		<-time.After(9 * time.Second)
		require.True(t, d.Waits())
		require.Equal(t, 1, i.asks())
		<-time.After(2 * time.Second)
		require.False(t, d.Waits(), "it has ended")

		i.says("no JSON")
		require.NoError(t, ask(t, d, "r"))
		require.True(t, d.Waits())
		<-time.After(10*time.Second + 100*time.Millisecond)
		require.False(t, d.Waits(), "it rests, and is to be asked")
		<-time.After(time.Second)
		require.Equal(t, 3, i.asks())
		require.False(t, d.Waits(), "of the one that died no Ask has told yet")
		require.Error(t, ask(t, d, "r"))
		require.True(t, d.Waits(), "it is worked on again")
		_ = d.HangUp()
		require.False(t, d.Waits())
	})
}

// Its process may have been killed in the midst of a step, and the monitor's next question
// can be seconds away.
func TestATriggerThatDiesIsInvokedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		i := &lambdaAPI{takes: time.Second, said: "no JSON"}
		d := invoker.New("us-west-2", name, i)
		require.NoError(t, ask(t, d, "r"))
		for n, at := range []time.Duration{1250, 2750, 4750} { // a second each, and 0.25, 0.5 and 1 s between them
			<-time.After(time.Until(began.Add(at*time.Millisecond - 1)))
			require.Equal(t, n+1, i.asks())
			<-time.After(1)
			require.Equal(t, n+2, i.asks())
			require.Equal(t, i.in[0].Payload, i.in[n+1].Payload, "it is the same question")
		}
		<-time.After(time.Minute)
		require.Equal(t, 4, i.asks(), "then it waits for a new question")
		require.ErrorContains(t, ask(t, d, "r"), "it failed")
		require.Equal(t, 5, i.asks())

		<-time.After(time.Second + 100*time.Millisecond) // it has failed, and rests
		require.Error(t, ask(t, d, "another"))
		require.Equal(t, 6, i.asks(), "a new question takes the place of the repetition")
		require.Equal(t, 1, i.waiting())
		i.says("")
		<-time.After(time.Minute)
		require.Equal(t, 7, i.asks(), "one that comes back is not asked again")
		require.Error(t, d.HangUp())
		require.Equal(t, 1, i.most)

		i.says("no JSON")
		require.NoError(t, ask(t, d, "r"))
		<-time.After(time.Second)
		require.Equal(t, 8, i.asks())
		resting := time.Now()
		require.Error(t, d.HangUp(), "the rest ends with the monitor's work")
		require.Zero(t, time.Since(resting))
		require.Equal(t, 8, i.asks())
		require.NoError(t, d.HangUp())
	})
}

// A trigger of another version, one that is wired to another Region or topology, and another
// function under its name refuse what the monitor asks, each time. Only what a person or the
// policy wants is none of its faults. Asking at once again mends none of them.
func TestWhatTheTriggerRefusesIsTold(t *testing.T) {
	refuses := func(fields string) string { return `{"refused":` + fields + `,"state":"Steady"}` }
	for what, c := range map[string]struct{ gives, want string }{
		"another version's":           {refuses(`"bad-request","detail":"mode \"failover\": use one of","do":"send a status"`), `it refused (bad-request): mode "failover": use one of: send a status`},
		"of the wrong Region":         {refuses(`"wrong-region","detail":"this function moves the writer to us-east-1","do":"call it there"`), "it refused (wrong-region): this function moves"},
		"of another topology":         {refuses(`"no-member","detail":"us-west-2 holds no member"`), "it refused (no-member): us-west-2 holds no member: hold the versions"},
		"with the world against it":   {refuses(`"precondition-fails"`), "it refused (precondition-fails): without a reason"},
		"with a code of a later one":  {refuses(`"moon-is-full","detail":"d"`), "it refused (moon-is-full): d"},
		"with a code that is none":    {refuses(`7`), "it refused (without a code): without a reason"},
		"with a code of blanks":       {refuses(`"\u0000"`), "it refused (without a code)"},
		"with a code without an end":  {refuses(`"` + strings.Repeat("é", 100_000) + `"`), "it refused (" + strings.Repeat("é", 32) + "...): without a reason"},
		"with a line of the log":      {refuses(`"bad-request","detail":"a\n{\"level\":\"ERROR\"}\u001b[2J"`), `it refused (bad-request): a {"level":"ERROR"} [2J: hold`},
		"it is paused":                {refuses(`"paused","detail":"jane has paused the automation"`), ""},
		"it observes only":            {refuses(`"observe-only"`), ""},
		"there is nothing to do":      {`{"state":"Steady","detail":"nothing to do: the writer is here"}`, ""},
		"another invocation drives":   {`{"driven":true,"state":"LossAccepted"}`, ""},
		"it is settled":               {`{"refused":"","state":"Settled"}`, ""},
		"null for a code":             {refuses(`null`), ""},
		"the key in another case":     {`{"Refused":"bad-request"}`, ""},
		"the function says no object": {`"refused"`, ""},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := &lambdaAPI{gives: c.gives}
				d := invoker.New("us-west-2", name, i)
				for n := range 5 {
					err := ask(t, d, "r")
					switch {
					case n == 0, c.want == "":
						require.NoError(t, err)
					default:
						require.ErrorContains(t, err, c.want)
						require.LessOrEqual(t, len(err.Error()), 2500)
					}
					<-time.After(2 * time.Second)
					require.Equal(t, n+1, i.asks(), "it is asked with the monitor's next question, and not before")
				}
				if err := d.HangUp(); c.want == "" {
					require.NoError(t, err)
				}
			})
		})
	}
}
