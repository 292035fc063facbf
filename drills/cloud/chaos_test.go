package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// TestCompareAndSwapUnderCuts lets both Regions take epochs by compare-and-swap
// while links come and go. Whatever is lost on the way, no epoch is ever
// granted twice, no read goes back in time, and the table ends at the last
// epoch that may have been granted.
func TestCompareAndSwapUnderCuts(t *testing.T) {
	conflicts, timeouts := 0, 0
	for seed := range uint64(10) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, to := compareAndSwap(t, seed)
				conflicts, timeouts = conflicts+c, timeouts+to
			})
		})
	}
	require.Positive(t, conflicts, "the Regions never met")
	require.Positive(t, timeouts, "no cut hit a call")
}

func compareAndSwap(t *testing.T, seed uint64) (conflicts, timeouts int) {
	w := start(t, nil)
	put(t, w.dynamo(east), "lease", item("id", "writer", "epoch", 0))
	var mu sync.Mutex
	granted := map[int]string{}
	maybe := 0  // highest epoch that was asked for without an answer
	newest := 0 // highest epoch that any Region was granted

	var wg sync.WaitGroup
	for _, r := range []dr.Region{east, west} {
		for client := range 3 {
			wg.Go(func() {
				name := fmt.Sprintf("%s/%d", r, client)
				c := w.dynamo(r)
				for range 40 {
					ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
					mu.Lock()
					floor := newest
					mu.Unlock()
					epoch, err := epochOf(ctx, c)
					if err == nil {
						mu.Lock()
						if epoch < floor {
							t.Errorf("%s read epoch %d after %d had been granted", name, epoch, floor)
						}
						mu.Unlock()
						err = swap(ctx, c, epoch)
						mu.Lock()
						switch {
						case err == nil:
							if other, taken := granted[epoch+1]; taken {
								t.Errorf("epoch %d was granted to %s and %s", epoch+1, other, name)
							}
							granted[epoch+1] = name
							newest = max(newest, epoch+1)
						case errors.Is(err, context.DeadlineExceeded):
							timeouts++
							maybe = max(maybe, epoch+1)
						case code(t, err) == "ReplicatedWriteConflictException":
							conflicts++
						}
						mu.Unlock()
					}
					cancel()
					<-time.After(10 * time.Millisecond)
				}
			})
		}
	}
	stop := make(chan struct{})
	var cutter sync.WaitGroup
	cutter.Go(func() {
		rnd := rand.New(rand.NewPCG(seed, 1))
		pairs := [][2]dr.Region{{east, west}, {east, witness}, {west, witness}}
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(rnd.IntN(400)) * time.Millisecond):
				p := pairs[rnd.IntN(len(pairs))]
				w.SetLink(p[0], p[1], rnd.IntN(2) > 0)
			}
		}
	})
	wg.Wait()
	close(stop)
	cutter.Wait()
	for _, p := range [][2]dr.Region{{east, west}, {east, witness}, {west, witness}} {
		w.SetLink(p[0], p[1], true)
	}
	last, err := epochOf(t.Context(), w.dynamo(west))
	require.NoError(t, err)
	require.GreaterOrEqual(t, last, newest)
	require.LessOrEqual(t, last, max(newest, maybe))
	require.NotEmpty(t, granted)
	return conflicts, timeouts
}

func epochOf(ctx context.Context, c *dynamodb.Client) (int, error) {
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("lease"), Key: item("id", "writer"), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out.Item["epoch"].(*types.AttributeValueMemberN).Value)
}

func swap(ctx context.Context, c *dynamodb.Client, epoch int) error {
	_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String("lease"), Key: item("id", "writer"),
		UpdateExpression: aws.String("SET epoch = epoch + :one"), ConditionExpression: aws.String("epoch = :was"),
		ExpressionAttributeValues: item(":one", 1, ":was", epoch),
	})
	return err
}

// TestEverythingAtOnce uses every service from every Region while faults and
// links change, for the race detector.
func TestEverythingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, func(c *cloud.Config) {
			c.Promotion = fixed(50 * time.Millisecond)
			c.FenceTimeout = 20 * time.Millisecond
		})
		var wg sync.WaitGroup
		for _, r := range []dr.Region{east, west} {
			wg.Go(func() {
				for range 100 {
					ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
					for _, call := range w.each(ctx) {
						_ = call() // its outcome depends on the faults
					}
					_ = w.failover(ctx, r)
					_, _ = w.rds(r).DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{})
					_ = swap(ctx, w.dynamo(r), 0)
					_ = w.RecordRPOLag(r, time.Second)
					w.Resolve(r)
					w.Events()
					w.Operations()
					w.Published()
					cancel()
				}
			})
		}
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, 1))
			for range 200 {
				faults := []cloud.Fault{
					cloud.On("", "", "").Delay(time.Millisecond), cloud.On(east, "", "").Hang(), cloud.On("", cloud.RDS, "").Throttle(),
					cloud.On(west, cloud.DynamoDB, "Get*").Lose(), cloud.On("", "", "").Stale(time.Second),
				}
				clear := w.SetFault(faults[rnd.IntN(len(faults))])
				w.SetLink(east, west, rnd.IntN(2) == 0)
				<-time.After(10 * time.Millisecond)
				clear()
			}
			w.SetLink(east, west, true)
		})
		wg.Wait()
		after(10 * time.Second)
		require.Empty(t, w.Faults())
		require.Equal(t, "available", *w.global(t, east).Status)
		require.Equal(t, *w.global(t, east).Status, *w.global(t, west).Status)
		require.NotEmpty(t, w.Operations())
	})
}
