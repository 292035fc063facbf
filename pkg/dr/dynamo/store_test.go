package dynamo_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/dynamo"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

func TestConfigReportsEverythingAtOnce(t *testing.T) {
	_, err := dynamo.New(dynamo.Config{Timeout: -1, Attempts: 9})
	for _, want := range []string{"Clients", "Region", "Table", "Cluster", "Timeout -1ns is negative", "Attempts 9"} {
		require.ErrorContains(t, err, want)
	}
	_, err = dynamo.New(dynamo.Config{Clients: []dynamo.Client{nil}, Region: west, Table: "t", Cluster: "c"})
	require.EqualError(t, err, "dynamo: config: Clients[0] is nil")
}

func TestAClientWhoseAddressIsLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{t: t, replies: []reply{ok(`{}`), ok(`{}`)}}
		at, failure := "https://vpce-1.dynamodb.us-west-2.vpce.amazonaws.com", error(nil)
		client := dynamo.NewClientAt(anyone(), west, func(context.Context) (string, error) { return at, failure }, w)
		s, err := dynamo.New(dynamo.Config{Clients: []dynamo.Client{client}, Region: west, Table: "t", Cluster: "c"})
		require.NoError(t, err)
		_, err = s.ReadLease(t.Context())
		require.ErrorIs(t, err, failover.ErrNoLease)
		require.Equal(t, "vpce-1.dynamodb.us-west-2.vpce.amazonaws.com", w.seen[0].Host)
		failure = errors.New("no such host")
		_, err = s.ReadLease(t.Context())
		require.ErrorIs(t, err, failure)
		failure, at = nil, "https://%"
		_, err = s.ReadLease(t.Context())
		require.ErrorContains(t, err, "invalid URL escape")
		require.Len(t, w.seen, 1, "nothing is sent to nowhere")
	})
}
