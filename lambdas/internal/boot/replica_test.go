package boot_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/lambdas/internal/boot"
)

func TestTheOtherReplicaIsFoundByItsAlias(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var leads string
		var failure error
		asked := 0
		find := boot.FindReplica("us-west-2", func(_ context.Context, name string) (string, error) {
			asked++
			require.Equal(t, "dynamodb.us-west-2.lifeboat.internal", name)
			return leads, failure
		})
		failure = errors.New("no such host")
		_, err := find(t.Context())
		require.EqualError(t, err, "boot: find the lease table's replica in us-west-2 by dynamodb.us-west-2.lifeboat.internal: no such host: apply the unit link")

		failure, leads = nil, "elsewhere.example.com."
		_, err = find(t.Context())
		require.ErrorContains(t, err, `it leads to "elsewhere.example.com", which is no endpoint of DynamoDB`, "signed requests go nowhere else")
		leads = "vpce-1.dynamodb.us-east-1.vpce.amazonaws.com."
		_, err = find(t.Context())
		require.Error(t, err, "of the wrong Region")

		leads = "vpce-1.dynamodb.us-west-2.vpce.amazonaws.com."
		for range 3 {
			url, err := find(t.Context())
			require.NoError(t, err)
			require.Equal(t, "https://vpce-1.dynamodb.us-west-2.vpce.amazonaws.com", url)
		}
		require.Equal(t, 4, asked, "a name is kept for a minute")

		<-time.After(boot.ReplicaAgain)
		failure = errors.New("the resolver is gone")
		url, err := find(t.Context())
		require.NoError(t, err)
		require.Equal(t, "https://vpce-1.dynamodb.us-west-2.vpce.amazonaws.com", url, "it is used on")

		<-time.After(boot.ReplicaAgain)
		failure, leads = nil, "vpce-2.dynamodb.us-west-2.vpce.amazonaws.com."
		url, err = find(t.Context())
		require.NoError(t, err)
		require.Equal(t, "https://vpce-2.dynamodb.us-west-2.vpce.amazonaws.com", url, "the endpoint was replaced")
	})
}
