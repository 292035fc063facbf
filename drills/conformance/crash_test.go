package conformance_test

import (
	"strings"
	"testing"

	"github.com/lifeboat-dr/lifeboat/internal/crashpoint"
)

// TestCrashPointsOnTheWire is what TestCrashPoints in pkg/dr/failover is, one layer down:
// the n-th HTTP call of the acting Region's processes goes wrong, and the adapters, the
// SDK's clients and the emulated services between them and the journal are the real ones.
//
// LIFEBOAT_POINTS=all tries every point, LIFEBOAT_POINTS=n every n-th, and
// LIFEBOAT_POINT=course:process/service/operation/n/way replays one.
func TestCrashPointsOnTheWire(t *testing.T) {
	crashpoint.Suite{
		Replay: "go test ./drills/conformance -run TestCrashPointsOnTheWire -v",
		Ways: []crashpoint.Way{
			crashpoint.Refused, reset, crashpoint.Hangs, lost, failed, unavailable, crashpoint.Throttled,
			crashpoint.Killed, crashpoint.KilledDone, crashpoint.KilledHeard,
		},
		Stride:  defaultStride,
		Message: func(p crashpoint.Port) bool { return strings.Contains(string(p), "/sns/") },
		Build:   func(s *crashpoint.Stage) crashpoint.World { return newCrashCloud(s).steady() },
	}.Run(t)
}
