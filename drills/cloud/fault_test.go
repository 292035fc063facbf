package cloud_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/drills/cloud"
)

// call is one harmless call of each service in a Region.
func (w *world) each(ctx context.Context) map[cloud.Service]func() error {
	return map[cloud.Service]func() error{
		cloud.RDS: func() error {
			_, err := w.rds(east).DescribeGlobalClusters(ctx, &rds.DescribeGlobalClustersInput{})
			return err
		},
		cloud.DynamoDB: func() error {
			_, err := read(ctx, w.dynamo(east), false)
			return err
		},
		cloud.CloudWatch: func() error {
			_, err := w.watch(east).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
			return err
		},
		cloud.SNS: func() error {
			_, err := w.sns(east).Publish(ctx, &sns.PublishInput{TopicArn: aws.String(w.TopicARN(east, "people")), Message: aws.String("x")})
			return err
		},
	}
}

func TestFaults(t *testing.T) {
	codes := map[string]map[cloud.Service]string{
		"throttle":   {cloud.RDS: "Throttling", cloud.DynamoDB: "ThrottlingException", cloud.CloudWatch: "Throttling", cloud.SNS: "Throttling"},
		"error(500)": {cloud.RDS: "InternalFailure", cloud.DynamoDB: "InternalServerError", cloud.CloudWatch: "InternalServiceError", cloud.SNS: "InternalError"},
		"error(503)": {cloud.RDS: "ServiceUnavailable", cloud.DynamoDB: "ServiceUnavailableException", cloud.CloudWatch: "ServiceUnavailableException", cloud.SNS: "ServiceUnavailable"},
	}
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for service, call := range w.each(ctx) {
			set := func(what string) func() {
				f, err := cloud.ParseFault("us-east-1/" + string(service) + "/*=" + what)
				require.NoError(t, err)
				return w.SetFault(f)
			}
			timed := func(limit time.Duration) (time.Duration, error) {
				short, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				began := time.Now()
				err := w.each(short)[service]()
				return time.Since(began), err
			}
			require.NoError(t, call(), service)

			clear := set("delay(2s)")
			clearMore := set("delay(1s)")
			took, err := timed(time.Minute)
			require.NoError(t, err)
			require.Equal(t, 3*time.Second, took, "%s: delays add up", service)
			clearMore()
			took, err = timed(time.Second)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Second, took, "%s: the caller may give up earlier", service)
			clear()

			for _, what := range []string{"hang", "lose"} {
				clear = set(what)
				took, err = timed(1500 * time.Millisecond)
				require.ErrorIs(t, err, context.DeadlineExceeded, "%s %s", service, what)
				require.Equal(t, 1500*time.Millisecond, took)
				clear()
			}

			clear = set("refuse")
			took, err = timed(time.Minute)
			require.ErrorIs(t, err, syscall.ECONNREFUSED, service)
			require.Zero(t, took)
			clear()

			for what, want := range codes {
				clear = set(what)
				require.Equal(t, want[service], code(t, call()), "%s %s", service, what)
				resp, ok := errors.AsType[*awshttp.ResponseError](call())
				require.True(t, ok)
				require.Equal(t, map[string]int{"throttle": 400, "error(500)": 500, "error(503)": 503}[what], resp.HTTPStatusCode())
				clear()
			}
			clear() // clearing twice does no harm
			require.NoError(t, call(), service)
		}
		require.Empty(t, w.Faults())
	})
}

// TestLostAnswer holds that a call whose answer is lost has happened all the
// same, and one that hangs has not.
func TestLostAnswer(t *testing.T) {
	for what, happened := range map[string]bool{"lose": true, "hang": false} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, nil)
				f, err := cloud.ParseFault("us-west-2/rds/FailoverGlobalCluster=" + what)
				require.NoError(t, err)
				w.SetFault(f)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				require.ErrorIs(t, w.failover(ctx, west), context.DeadlineExceeded)
				after(5 * time.Second)
				require.Equal(t, happened, w.Writer() == west)
			})
		})
	}
}

// TestStaleAnswers holds that reads answer as of a moment ago.
func TestStaleAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, nil)
		require.NoError(t, write(t.Context(), w.dynamo(west), 1))
		require.NoError(t, w.failover(t.Context(), west))
		after(10 * time.Second)
		require.NoError(t, write(t.Context(), w.dynamo(west), 2))
		after(time.Second)

		clear := w.SetFault(cloud.On("us-west-2", "", "").Stale(5 * time.Second))
		require.True(t, *w.global(t, west).GlobalClusterMembers[1].IsWriter, "five seconds ago it had moved")
		got, err := read(t.Context(), w.dynamo(west), true)
		require.NoError(t, err)
		require.Equal(t, item("id", "a", "v", 1), got)
		member, _, _ := w.Resolve(west)
		require.Equal(t, west, member)
		clear()

		clear = w.SetFault(cloud.On("*", "*", "*").Stale(9500 * time.Millisecond))
		require.Equal(t, "failing-over", *w.global(t, west).Status)
		require.True(t, *w.global(t, west).GlobalClusterMembers[0].IsWriter)
		member, _, _ = w.Resolve(west)
		require.Equal(t, east, member)
		clear()
		clear = w.SetFault(cloud.On("*", "rds", "Describe*").Stale(time.Hour))
		require.Equal(t, "available", *w.global(t, west).Status, "no older than what is kept")
		clear()
		require.True(t, *w.global(t, west).GlobalClusterMembers[1].IsWriter)
	})
}

// TestFaultSelects holds that a fault touches the calls it names and no other.
func TestFaultSelects(t *testing.T) {
	w := start(t, nil)
	describe := func(r ...string) string {
		_, err := w.rds(east).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{})
		if err == nil {
			return ""
		}
		return code(t, err)
	}
	for text, hit := range map[string]bool{
		"us-east-1/rds/DescribeDBClusters=throttle": true,
		"us-east-1/rds/Describe*=throttle":          true,
		"us-east-1/*/*=throttle":                    true,
		"*/rds/*=throttle":                          true,
		"us-west-2/*/*=throttle":                    false,
		"*/sns/*=throttle":                          false,
		"*/*/DescribeDBClusterSnapshots=throttle":   false,
		"*/*/*=none":                                false,
	} {
		f, err := cloud.ParseFault(text)
		require.NoError(t, err)
		clear := w.SetFault(f)
		require.Equal(t, hit, describe() == "Throttling", text)
		require.Equal(t, []cloud.Fault{f}, w.Faults())
		clear()
	}
	// The most drastic fault wins, whatever the order.
	w.SetFault(cloud.On("", "", "").Refuse())
	w.SetFault(cloud.On("", "", "").Throttle())
	_, err := w.rds(east).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{})
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestFaultText(t *testing.T) {
	all := cloud.On("", "", "")
	one := cloud.On(east, cloud.RDS, "FailoverGlobalCluster")
	for text, f := range map[string]cloud.Fault{
		"us-east-1/rds/FailoverGlobalCluster=delay(2s)": one.Delay(2 * time.Second),
		"us-east-1/rds/FailoverGlobalCluster=lose":      one.Lose(),
		"*/*/*=hang":                all.Hang(),
		"*/*/*=refuse":              all.Refuse(),
		"*/*/*=error(503)":          all.Fail(503),
		"*/*/*=error(500)":          all.Fail(200),
		"*/dynamodb/*=stale(1m30s)": cloud.On("", cloud.DynamoDB, "").Stale(90 * time.Second),
		"us-east-1/rds/FailoverGlobalCluster=reject(InvalidDBClusterStateFault)": cloud.On(east, cloud.RDS, "FailoverGlobalCluster").Reject("InvalidDBClusterStateFault"),
		"us-east-1/dynamodb/*=reject(AccessDeniedException)":                     cloud.On(east, cloud.DynamoDB, "").Deny(),
		"us-west-2/cloudwatch/Put*=throttle":                                     cloud.On(west, cloud.CloudWatch, "Put*").Throttle(),
		"*/*/*=none":                                                             {},
	} {
		require.Equal(t, text, f.String())
		parsed, err := cloud.ParseFault(text)
		require.NoError(t, err)
		require.Equal(t, f, parsed)
	}
	for _, text := range []string{
		"", "hang", "us-east-1=hang", "a/rds/b/c=hang", "us-east-1/ec2/*=hang", "/rds/*=hang", "us-*/rds/*=hang", "*/rds/De*ibe=hang",
		"*/*/*=delay", "*/*/*=delay()", "*/*/*=delay(-1s)", "*/*/*=delay(1s", "*/*/*=hang(1s)", "*/*/*=error(404)", "*/*/*=explode", "*/*/*=",
	} {
		_, err := cloud.ParseFault(text)
		require.ErrorContains(t, err, "write region/service/operation=kind", text)
	}
}

func FuzzParseFault(f *testing.F) {
	for _, s := range []string{"us-east-1/rds/FailoverGlobalCluster=delay(2s)", "*/*/*=hang", "*/sns/P*=error(503)", "a/dns/A=stale(1h2m3.5s)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		one, err := cloud.ParseFault(s)
		if err != nil {
			return
		}
		again, err := cloud.ParseFault(one.String())
		require.NoError(t, err, "%q prints as %q", s, one)
		require.Equal(t, one, again)
		require.Equal(t, one.String(), again.String())
	})
}
