package monitorlease_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease"
	"github.com/lifeboat-dr/lifeboat/lambdas/function/monitorlease/monitorleasetest"
)

func TestDefaultsAreValid(t *testing.T) {
	c := monitorlease.Config{Region: "us-east-1", Process: "p", Store: &monitorleasetest.Memory{}}
	require.NoError(t, c.Validate())
	c = c.WithDefaults()
	// Three renewals that hang, and the fourth is still in time.
	require.Less(t, c.Renew+3*c.Call, c.TTL-c.Margin)
}

func TestConfigReportsEverythingAtOnce(t *testing.T) {
	err := monitorlease.Config{
		TTL: 4 * time.Second, Margin: time.Millisecond, Drift: time.Millisecond, Renew: 2 * time.Second,
		Call: 3 * time.Second, Poll: -1, Patience: 5 * time.Second, Spare: time.Second,
	}.Validate()
	for _, want := range []string{
		"Region is empty", "Process is empty", "Store is nil", "Poll -1ns is negative", "Margin 1ms must be at least a tenth",
		"Renew 2s must be at most a quarter", "Call 3s must be at most Renew", "must leave time within TTL", "Drift 1ms must be at least",
		"must be below 4s", "Patience 5s must be at most TTL", "Spare 1s must be at least",
	} {
		require.ErrorContains(t, err, want)
	}
	err = monitorlease.Config{Region: "us-east-1", Process: "p", Store: &monitorleasetest.Memory{}, Patience: 300 * time.Millisecond}.Validate()
	require.EqualError(t, err, "monitorlease: config: Patience 300ms must be at least 4 Poll 100ms, or a successor that lives is too late")
}
