package health_test

import (
	"fmt"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// The link between two Regions is cut: from one side it looks like a dead Region,
// but the writer's lease is renewed, and one vantage never decides.
func ExampleEvaluate() {
	w := health.Window{Subject: "us-east-1", Vantage: "us-west-2"}
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for range 4 {
		at = at.Add(2 * time.Second)
		w.Rounds = append(w.Rounds, health.Round{At: at, SelfCheck: health.Alive, Observations: []health.Observation{
			{Subject: "us-east-1", Vantage: "us-west-2", Family: health.SQL, Answer: health.Dead, Cause: "timeout", At: at},
			{Subject: "us-east-1", Vantage: "us-west-2", Family: health.Control, Answer: health.Dead, Cause: "timeout", At: at},
			{Subject: "us-east-1", Vantage: health.Store, Family: health.Heartbeat, Answer: health.Alive, At: at},
		}})
	}
	v := health.Evaluate(dr.DefaultPolicy(), w, at)
	fmt.Println(v.State)
	fmt.Println(v.Dark)
	for _, m := range v.Missing {
		fmt.Println("missing:", m)
	}
	// Output:
	// Degraded
	// [sql control]
	// missing: 2 vantages (have 1)
	// missing: an end of the proof that writes are served
}
