package cloud_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

func read(ctx context.Context, c *dynamodb.Client, strong bool) (map[string]types.AttributeValue, error) {
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("lease"), Key: item("id", "a"), ConsistentRead: aws.Bool(strong)})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

func write(ctx context.Context, c *dynamodb.Client, value int) error {
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("lease"), Item: item("id", "a", "v", value)})
	return err
}

// TestQuorumLatency holds that a call costs a round trip to the nearest Region
// that can be reached.
func TestQuorumLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		took := func(r dr.Region) time.Duration {
			began := time.Now()
			require.NoError(t, write(t.Context(), w.dynamo(r), 1))
			return time.Since(began)
		}
		require.Equal(t, 12*time.Millisecond, took(east))
		require.Equal(t, 50*time.Millisecond, took(west))
		w.SetLink(east, witness, false)
		require.Equal(t, 60*time.Millisecond, took(east))
		w.SetLink(east, west, false)
		require.Equal(t, 50*time.Millisecond, took(west), "two of three remain")
	})
}

// TestQuorumLoss holds that an isolated Region neither reads nor writes, while
// the majority does.
func TestQuorumLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		require.NoError(t, write(t.Context(), w.dynamo(east), 1))
		w.SetLink(east, west, false)
		w.SetLink(east, witness, false)

		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, write(ctx, w.dynamo(east), 2), context.DeadlineExceeded)
		require.Equal(t, 1500*time.Millisecond, time.Since(began))
		_, err := read(ctx, w.dynamo(east), true)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		require.NoError(t, write(t.Context(), w.dynamo(west), 3))
		got, err := read(t.Context(), w.dynamo(west), true)
		require.NoError(t, err)
		require.Equal(t, item("id", "a", "v", 3), got, "the write that hung was not made")

		// An eventually consistent read answers with what the replica knew.
		got, err = read(t.Context(), w.dynamo(east), false)
		require.NoError(t, err)
		require.Equal(t, item("id", "a", "v", 1), got)

		// A call that still waits goes through when the link is back.
		done := make(chan error, 1)
		go func() { done <- write(t.Context(), w.dynamo(east), 4) }()
		synctest.Wait()
		w.SetLink(east, witness, true)
		require.NoError(t, <-done)
		got, err = read(t.Context(), w.dynamo(west), true)
		require.NoError(t, err)
		require.Equal(t, item("id", "a", "v", 4), got)
	})
}

// TestQuorumOfThree holds that a further member's Region is no part of the
// tables' quorum.
func TestQuorumOfThree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *cloud.Config) {
			c.Members = []cloud.Member{{Region: east, Instances: []string{"a"}}, {Region: west, Instances: []string{"b"}}, {Region: "eu-west-1", Instances: []string{"c"}}}
			c.QuorumLoss = cloud.FailWithoutQuorum
		})
		w.SetLink(east, west, false)
		w.SetLink(east, witness, false)
		require.Equal(t, "InternalServerError", code(t, write(t.Context(), w.dynamo(east), 1)))
		require.Equal(t, "ResourceNotFoundException", code(t, write(t.Context(), w.dynamo("eu-west-1"), 1)))
	})
}

func TestQuorumLossAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *cloud.Config) { c.QuorumLoss = cloud.FailWithoutQuorum })
		w.SetLink(east, west, false)
		w.SetLink(east, witness, false)
		require.Equal(t, "InternalServerError", code(t, write(t.Context(), w.dynamo(east), 1)))
	})
}

// TestAmbiguousWrite cuts the links between commit and answer: the write has
// been made and its caller can't know.
func TestAmbiguousWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		go func() {
			<-time.After(9 * time.Millisecond) // committed after 6 ms, answered after 12
			w.SetLink(east, west, false)
			w.SetLink(east, witness, false)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, write(ctx, w.dynamo(east), 1), context.DeadlineExceeded)
		got, err := read(t.Context(), w.dynamo(west), true)
		require.NoError(t, err)
		require.Equal(t, item("id", "a", "v", 1), got)
	})
}

// TestLostRequest cuts the nearest link before the commit: the call reaches
// the other Region instead.
func TestLostRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		go func() {
			<-time.After(3 * time.Millisecond)
			w.SetLink(east, witness, false)
		}()
		began := time.Now()
		require.NoError(t, write(t.Context(), w.dynamo(east), 1))
		require.Equal(t, 66*time.Millisecond, time.Since(began))
	})
}

// TestWriteConflict writes one item in two Regions at once: the later commit
// loses, and a retry succeeds.
func TestWriteConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		errs := make(chan error, 1)
		go func() { errs <- write(t.Context(), w.dynamo(west), 2) }() // commits after 25 ms
		require.NoError(t, write(t.Context(), w.dynamo(east), 1))     // commits after 6 ms
		err := <-errs
		conflict, ok := errors.AsType[*types.ReplicatedWriteConflictException](err)
		require.True(t, ok, "%v", err)
		require.NotEmpty(t, conflict.ErrorMessage())
		require.NoError(t, write(t.Context(), w.dynamo(west), 2))

		// Two writes of one Region queue up instead.
		go func() { errs <- write(t.Context(), w.dynamo(west), 3) }()
		require.NoError(t, write(t.Context(), w.dynamo(west), 4))
		require.NoError(t, <-errs)
	})
}

// TestHistory holds that a stale read looks back as far as History says, and
// that older versions are dropped.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *cloud.Config) { c.History = 10 * time.Second })
		c := w.dynamo(east)
		for v := range 30 {
			require.NoError(t, write(t.Context(), c, v))
			after(988 * time.Millisecond) // a write a second, with its latency
		}
		for ago, want := range map[time.Duration]any{0: 29, 3500 * time.Millisecond: 26, 9500 * time.Millisecond: 20, 20 * time.Second: nil} {
			clear := w.SetFault(cloud.On(east, cloud.DynamoDB, "").Stale(ago))
			got, err := read(t.Context(), c, true)
			require.NoError(t, err)
			if want == nil {
				require.Empty(t, got, ago)
			} else {
				require.Equal(t, item("id", "a", "v", want), got, ago)
			}
			clear()
		}
	})
}

// TestEventualRead holds that a write shows in the other Region's replica
// after half a round trip, and in its own at once.
func TestEventualRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		require.NoError(t, write(t.Context(), w.dynamo(east), 1)) // committed 6 ms ago
		got, err := read(t.Context(), w.dynamo(east), false)
		require.NoError(t, err)
		require.NotEmpty(t, got)
		got, err = read(t.Context(), w.dynamo(west), false)
		require.NoError(t, err)
		require.Empty(t, got)
		after(20 * time.Millisecond)
		got, err = read(t.Context(), w.dynamo(west), false)
		require.NoError(t, err)
		require.NotEmpty(t, got)
	})
}
