package turn_test

import (
	"testing"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/turn/turntest"
)

func TestMemory(t *testing.T) {
	turntest.TestStore(t, func(*testing.T) turn.Store { return &turntest.Memory{} })
}
