package functions_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/lifeboat-dr/lifeboat/drills/drill"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/cloudwatch"
)

// TestMain lets this binary be a function, which says what it does as the real ones do.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	events, err := cloudwatch.NewEvents(cloudwatch.EventsConfig{
		Writer: os.Stdout, Region: dr.Region(os.Getenv("AWS_REGION")), GlobalCluster: os.Getenv("LIFEBOAT_GLOBAL_CLUSTER"),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	name, do := os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), pretendTrigger
	if strings.HasSuffix(name, "health-monitor") {
		do = pretendMonitor
	}
	lambda.Start(func(ctx context.Context) error { return do(ctx, events.Trace()) })
}

// pretendMonitor says a word of every kind, asks or calls the trigger if its deployment
// is called so, and leaves.
func pretendMonitor(ctx context.Context, t *dr.Trace) error {
	own := dr.Region(os.Getenv("AWS_REGION"))
	t.OnVerdict(dr.VerdictChange{At: time.Now(), Vantage: own, Subject: drill.East, State: "Degraded", Why: "a reason"})
	fmt.Println("no event")
	fmt.Println(`{"msg":"neither is this","State":7}`)
	t.OnLease(dr.LeaseChange{At: time.Now(), Region: own, Epoch: 7, What: dr.LeaseHeld, Detail: "by a talker"})
	t.OnProblem(dr.Problem{At: time.Now(), Region: own, Op: "talk", Err: errors.New("hoarse")})
	kind := map[string]string{"asking": "Event", "calling": "RequestResponse"}[os.Getenv("LIFEBOAT_GLOBAL_CLUSTER")]
	if kind == "" {
		return nil
	}
	url := os.Getenv("AWS_ENDPOINT_URL_LAMBDA") + "/2015-03-31/functions/" + os.Getenv("LIFEBOAT_GLOBAL_CLUSTER") + "-failover-trigger/invocations"
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(`{}`)))
	if err != nil {
		return err
	}
	ask.Header.Set("X-Amz-Invocation-Type", kind)
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// pretendTrigger records two steps and goes on for ever.
func pretendTrigger(ctx context.Context, t *dr.Trace) error {
	for _, state := range []string{"EpochTaken", "Promoted"} {
		t.OnState(dr.StateChange{At: time.Now(), Region: drill.West, Execution: "x", From: drill.East, To: drill.West, Epoch: 7, State: dr.State(state), Code: "", Detail: "d"})
	}
	<-ctx.Done()
	return ctx.Err()
}
