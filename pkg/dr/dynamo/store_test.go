package dynamo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
)

func TestConfigReportsEverythingAtOnce(t *testing.T) {
	_, err := dynamo.New(dynamo.Config{Timeout: -1, Attempts: 9})
	for _, want := range []string{"Clients", "Region", "Table", "Cluster", "Timeout -1ns is negative", "Attempts 9"} {
		require.ErrorContains(t, err, want)
	}
	_, err = dynamo.New(dynamo.Config{Clients: []dynamo.Client{nil}, Region: west, Table: "t", Cluster: "c"})
	require.EqualError(t, err, "dynamo: config: Clients[0] is nil")
}
