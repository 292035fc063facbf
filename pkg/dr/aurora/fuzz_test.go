package aurora_test

import (
	"database/sql/driver"
	"math"
	"net"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

// member is how RDS names a cluster of a global database (Amazon RDS User Guide, ARNs).
var member = regexp.MustCompile(`(?s)^arn:[^:]*:rds:([^:]+):[^:]*:cluster:`)

// FuzzRegionOf reads any ARN of a member. It is a cluster's and names its Region, or an
// error with the ARN in it: an empty Region would be no writer and no failover.
func FuzzRegionOf(f *testing.F) {
	for _, arn := range []string{
		clusterARN(east), "arn:aws-cn:rds:cn-north-1:123456789012:cluster:orders", "", "arn", "arn:aws:rds::123456789012:cluster:orders", "arn:aws:rds::123456789012:global-cluster:orders",
		"arn:aws:rds:us-east-1:123456789012:db:orders-1", "arn:aws:s3:us-east-1:123456789012:cluster:orders", "arn:::::", "arn:aws:rds:us-east-1:123456789012",
	} {
		f.Add(arn)
	}
	f.Fuzz(func(t *testing.T, arn string) {
		got, err := aurora.RegionOf(&arn)
		if m := member.FindStringSubmatch(arn); m != nil {
			require.NoError(t, err)
			require.Equal(t, m[1], got.String())
			return
		}
		require.ErrorContains(t, err, "member cluster ")
		require.Empty(t, got)
	})
}

// FuzzBeside makes an instance's endpoint of a reader endpoint and of what a server says
// its writer is called. It stays in the cluster's own domain, one label below it, or
// there is none: a table must not lead a password to another host.
func FuzzBeside(f *testing.F) {
	const reader = "orders.cluster-ro-c0ffee.us-west-2.rds.amazonaws.com"
	for _, id := range []string{"orders-1", "", "a.evil", "orders-", "-orders", "o--1", "ORDERS-1", "orders-1\n", "1orders", strings.Repeat("a", 64), "é", "a/b", "a@b"} {
		f.Add(reader+":3306", id)
	}
	for _, r := range []string{reader, "", ":3306", "10.0.0.7:3306", reader + ".:3306", "ORDERS.cluster-ro-c0ffee.us-west-2.rds.amazonaws.com.cn:3306", "orders.cluster-ro-c0ffee.evil.com:3306", reader + ".evil.com:3306", reader + "\n:3306"} {
		f.Add(r, "orders-1")
	}
	f.Fuzz(func(t *testing.T, reader, id string) {
		got := aurora.Beside(reader, id)
		if got == "" {
			return
		}
		host, port, err := net.SplitHostPort(got)
		require.NoError(t, err)
		label, domain, _ := strings.Cut(host, ".")
		require.Equal(t, id, label)
		require.Regexp(t, `^[a-z][a-z0-9-]{0,62}$`, label)
		require.Regexp(t, `^[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$`, domain)
		own, ownPort, err := net.SplitHostPort(reader)
		require.NoError(t, err)
		require.Equal(t, ownPort, port)
		require.True(t, strings.HasSuffix(strings.TrimSuffix(strings.ToLower(own), "."), ".cluster-ro-"+domain), "%q of %q", got, reader)
	})
}

// FuzzLag lets a server tell any lag and any age of it, in microseconds. What is known
// is no less than what was said; what a Duration can't hold is long, and never wraps
// around to a small lag or a young one.
func FuzzLag(f *testing.F) {
	for _, v := range []float64{0, 340500, -200, -1e6, -1_000_001, 1e300, -1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxInt64} {
		f.Add(v, 1_200_000.0)
		f.Add(340500.0, v)
	}
	f.Fuzz(func(t *testing.T, value, age float64) {
		synctest.Test(t, func(t *testing.T) {
			s := newServer()
			s.lag = []driver.Value{value, age}
			lag, err := sqlOn(t, s).Lag(t.Context())
			require.NoError(t, err)
			if math.IsNaN(value) || value < -1e6 || math.IsNaN(age) {
				require.Nil(t, lag)
				return
			}
			require.NotNil(t, lag)
			for want, got := range map[float64]time.Duration{value: lag.Value, age: time.Since(lag.At)} {
				switch {
				case want <= 0:
					require.Zero(t, got)
				case want < 9e15: // 285 years, in what a Duration holds
					require.InDelta(t, want, float64(got)/1e3, 1e-3+want*1e-12)
				default:
					require.Greater(t, got, 280*365*24*time.Hour)
				}
			}
		})
	})
}
