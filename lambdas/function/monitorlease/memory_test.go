package monitorlease_test

import (
	"testing"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
)

func TestMemory(t *testing.T) {
	monitorleasetest.TestStore(t, func(*testing.T) monitorlease.Store { return &monitorleasetest.Memory{} })
}
