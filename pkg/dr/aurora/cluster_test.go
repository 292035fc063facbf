package aurora_test

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
)

// cluster returns a cluster seen from the west, where the writer would move to.
func cluster(t *testing.T, inEast, inWest *region) *aurora.Cluster {
	t.Helper()
	apis := map[dr.Region]aurora.GlobalAPI{east: aurora.NewClient(anyone(), east, "", inEast), west: aurora.NewClient(anyone(), west, "", inWest)}
	c, err := aurora.NewCluster(aurora.ClusterConfig{GlobalCluster: "orders", Region: west, Clients: func(r dr.Region) aurora.GlobalAPI { return apis[r] }})
	require.NoError(t, err)
	return c
}

func TestFault01FailoverAsksForDataLossAndIsNoSwitchover(t *testing.T) {
	inEast := &region{}
	inWest := &region{answers: map[string]answer{"DescribeGlobalClusters": global("available", east, ""), "FailoverGlobalCluster": says("")}}
	require.NoError(t, cluster(t, inEast, inWest).Failover(t.Context(), west))

	require.Equal(t, []url.Values{{
		"Action": {"FailoverGlobalCluster"}, "Version": {"2014-10-31"}, "GlobalClusterIdentifier": {"orders"},
		"TargetDbClusterIdentifier": {clusterARN(west)}, "AllowDataLoss": {"true"},
	}}, inWest.asked("FailoverGlobalCluster"), "without AllowDataLoss it would be a switchover")
	require.Equal(t, "rds.us-west-2.amazonaws.com", inWest.host)
	require.Empty(t, inEast.seen, "nothing may need the failed Region")
}

func TestFault14FailoverLooksBeforeItAsks(t *testing.T) {
	for name, c := range map[string]struct {
		now  answer
		want string
	}{
		"is the writer already": {global("available", west, ""), ""},
		"is on its way":         {global("failing-over", east, strings.Replace(moving("failing-over", west), "</F", "<IsDataLossAllowed>true</IsDataLossAllowed></F", 1)), ""},
		"is switched over":      {global("switching-over", east, moving("switching-over", west)), "the writer is being moved to us-west-2 by another operation: let that end first"},
		"moves elsewhere":       {global("switching-over", west, moving("switching-over", east)), "the writer is being moved to us-east-1 by another operation: let that end first"},
		"not found":             {refuses(404, "GlobalClusterNotFoundFault"), "give the identifier of the global cluster"},
		"no such member":        {says("<GlobalClusters><GlobalClusterMember><Status>available</Status></GlobalClusterMember></GlobalClusters>"), "it has no member in us-west-2"},
	} {
		t.Run(name, func(t *testing.T) {
			inWest := &region{answers: map[string]answer{"DescribeGlobalClusters": c.now}}
			err := cluster(t, &region{}, inWest).Failover(t.Context(), west)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
			require.Empty(t, inWest.asked("FailoverGlobalCluster"))
		})
	}
}

func TestFailoverFromAnotherRegion(t *testing.T) {
	inWest := &region{}
	require.ErrorContains(t, cluster(t, &region{}, inWest).Failover(t.Context(), east), "the Region to be promoted must ask, not us-west-2")
	require.Empty(t, inWest.seen)
}

func TestFailoverRefusedByItsState(t *testing.T) {
	inWest := &region{answers: map[string]answer{
		"DescribeGlobalClusters": global("available", east, ""), "FailoverGlobalCluster": refuses(400, "InvalidGlobalClusterStateFault"),
	}}
	err := cluster(t, &region{}, inWest).Failover(t.Context(), west)
	var failed *aurora.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "InvalidGlobalClusterStateFault", failed.Code)
	require.Contains(t, failed.Hint, "read its state again before asking again")
	require.Len(t, inWest.asked("FailoverGlobalCluster"), 1, "there is no idempotency token")
}

func TestFailoverInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inWest := &region{answers: map[string]answer{"DescribeGlobalClusters": global("available", east, ""), "FailoverGlobalCluster": silence}}
		began := time.Now()
		require.Error(t, cluster(t, &region{}, inWest).Failover(t.Context(), west))
		require.Equal(t, 1500*time.Millisecond, time.Since(began))
		require.Len(t, inWest.asked("FailoverGlobalCluster"), 1)
	})
}

func TestSwitchoverAsksTheWritersRegion(t *testing.T) {
	inEast := &region{answers: map[string]answer{"SwitchoverGlobalCluster": says("")}}
	inWest := &region{answers: map[string]answer{"DescribeGlobalClusters": global("available", east, "")}}
	require.NoError(t, cluster(t, inEast, inWest).Switchover(t.Context(), west))
	require.Equal(t, []url.Values{{
		"Action": {"SwitchoverGlobalCluster"}, "Version": {"2014-10-31"}, "GlobalClusterIdentifier": {"orders"}, "TargetDbClusterIdentifier": {clusterARN(west)},
	}}, inEast.seen)
}

func TestSwitchoverToAMemberThatHasNotCaughtUp(t *testing.T) {
	body := "<GlobalClusters><GlobalClusterMember><Status>available</Status><GlobalClusterMembers>" +
		"<GlobalClusterMember><DBClusterArn>" + clusterARN(east) + "</DBClusterArn><IsWriter>true</IsWriter></GlobalClusterMember>" +
		"<GlobalClusterMember><DBClusterArn>" + clusterARN(west) + "</DBClusterArn><SynchronizationStatus>pending-resync</SynchronizationStatus></GlobalClusterMember>" +
		"</GlobalClusterMembers></GlobalClusterMember></GlobalClusters>"
	inWest := &region{answers: map[string]answer{"DescribeGlobalClusters": says(body)}}
	require.ErrorContains(t, cluster(t, &region{}, inWest).Switchover(t.Context(), west), "pending-resync")
}

func TestFault15DescribeKnowsEveryMoveThatIsUnderWay(t *testing.T) {
	for name, c := range map[string]struct {
		now  answer
		want failover.Cluster
	}{
		"at rest":             {global("available", east, ""), failover.Cluster{Status: "available", Writer: east}},
		"an empty state":      {global("available", east, "<FailoverState></FailoverState>"), failover.Cluster{Status: "available", Writer: east}},
		"failing over":        {global("failing-over", east, moving("failing-over", west)), failover.Cluster{Status: "failing-over", Writer: east, MovingTo: west}},
		"not in the SDK enum": {global("switching-over", east, moving("switching-over", west)), failover.Cluster{Status: "switching-over", Writer: east, MovingTo: west}},
		"a word of next year": {global("rebalancing", east, moving("levitating", west)), failover.Cluster{Status: "rebalancing", Writer: east, MovingTo: west}},
	} {
		t.Run(name, func(t *testing.T) {
			inWest := &region{answers: map[string]answer{"DescribeGlobalClusters": c.now}}
			got, err := cluster(t, &region{}, inWest).Describe(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Equal(t, "orders", inWest.seen[0].Get("GlobalClusterIdentifier"))
		})
	}
}

func TestClusterConfigReportsEverythingAtOnce(t *testing.T) {
	_, err := aurora.NewCluster(aurora.ClusterConfig{Timeout: -1})
	for _, want := range []string{"GlobalCluster", "Region", "Clients", "Timeout"} {
		require.ErrorContains(t, err, want)
	}
}
