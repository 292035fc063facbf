package lambdahost_test

import (
	"context"
	"fmt"

	"github.com/lifeboat-dr/lifeboat/drills/lambdahost"
)

// A real binary is invoked as AWS would: cold, during an outage of the service,
// and cold again after its process was killed.
func Example() {
	host, err := lambdahost.New(lambdahost.Config{
		Functions: []lambdahost.Function{{Name: "health-monitor", Binary: raw, Region: "us-west-2", Concurrency: 2}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer host.Close()
	call := func() {
		r, err := host.Invoke(context.Background(), "health-monitor", []byte(`{"detail-type":"Scheduled Event"}`), lambdahost.Sync)
		errorType, _ := r.Failure()
		fmt.Println(r.StatusCode, r.Cold, errorType, err)
	}
	call()
	if _, err := host.Inject("health-monitor", lambdahost.Fault{Kind: lambdahost.Outage, Times: 1}); err != nil {
		fmt.Println(err)
	}
	call()
	if _, err := host.Kill("health-monitor"); err != nil {
		fmt.Println(err)
	}
	call()
	// Output:
	// 200 true  <nil>
	// 0 false  lambdahost: invoke: 500 ServiceException: The Lambda service encountered an internal error.
	// 200 true  <nil>
}
