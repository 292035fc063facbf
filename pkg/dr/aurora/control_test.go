package aurora_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

func TestFault08ControlReadsWhatAWSReallyAnswers(t *testing.T) {
	well := instances("a", "available", "b", "available")
	refused := breaks(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})
	for name, c := range map[string]struct {
		clusters, instances answer
		want                health.Answer
		cause               string
		answers             bool
		others              int
	}{
		"available":              {memberXML("available", "a", "b"), well, health.Alive, "", true, 1},
		"alone":                  {memberXML("available", "a"), instances("a", "available"), health.Alive, "", true, 0},
		"writer restarts":        {memberXML("available", "a", "b"), instances("a", "rebooting", "b", "available"), health.Dead, "writer instance a is rebooting", true, 1},
		"the other one is down":  {memberXML("available", "a", "b"), instances("a", "available", "b", "failed"), health.Alive, "", true, 0},
		"being modified":         {memberXML("available", "a", "b"), instances("a", "modifying", "b", "available"), health.Unknown, `"modifying"`, true, 1},
		"a word of next year":    {memberXML("levitating", "a"), instances("a", "available"), health.Unknown, `"levitating"`, true, 0},
		"silence":                {silence, silence, health.Dead, "no answer in time", false, -1},
		"half silent":            {memberXML("available", "a"), silence, health.Unknown, "no answer in time", true, -1},
		"refused":                {refused, refused, health.Dead, "connection refused", false, -1},
		"its own error":          {refuses(503, "ServiceUnavailable"), refuses(500, "InternalFailure"), health.Dead, "ServiceUnavailable", false, -1},
		"throttled":              {refuses(400, "Throttling"), refuses(400, "Throttling"), health.Unknown, "Throttling", true, -1},
		"denied":                 {refuses(403, "AccessDenied"), refuses(403, "AccessDenied"), health.Unknown, "AccessDenied", true, -1},
		"name not resolved":      {breaks(&net.DNSError{Name: "rds", Err: "no such host"}), breaks(&net.DNSError{Name: "rds"}), health.Unknown, "no such host", false, -1},
		"no writer in a cluster": {memberXML("available"), instances(), health.Unknown, "no writer instance", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := &region{answers: map[string]answer{"DescribeDBClusters": c.clusters, "DescribeDBInstances": c.instances}}
				p, err := aurora.NewControl(aurora.ControlConfig{
					Vantage: west, Members: map[dr.Region]string{east: "orders-east"},
					Clients: func(r dr.Region) aurora.MemberAPI { return aurora.NewClient(anyone(), r, "", api) },
				})
				require.NoError(t, err)
				began := time.Now()
				got := p.Probe(within(t.Context(), 1500*time.Millisecond), east)
				require.Len(t, got, 1)
				o := got[0]
				require.Equal(t, c.want, o.Answer, o.Cause)
				require.Contains(t, o.Cause, c.cause)
				require.Equal(t, c.cause == "", o.Cause == "")
				require.Equal(t, c.answers, o.RegionAnswers)
				require.Equal(t, c.others, o.OtherInstances)
				require.Equal(t, health.Control, o.Family)
				require.Equal(t, []dr.Region{west, east}, []dr.Region{o.Vantage, o.Subject})
				require.LessOrEqual(t, time.Since(began), 1500*time.Millisecond)
				require.Equal(t, "orders-east", api.asked("DescribeDBInstances")[0].Get("Filters.Filter.1.Values.Value.1"))
			})
		})
	}
}

func TestControlCalledOffIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &region{answers: map[string]answer{"DescribeDBClusters": silence, "DescribeDBInstances": silence}}
		p, err := aurora.NewControl(aurora.ControlConfig{
			Vantage: "us-east-2", Family: health.Witness, Members: map[dr.Region]string{east: "orders-east"},
			Clients: func(r dr.Region) aurora.MemberAPI { return aurora.NewClient(anyone(), r, "", api) },
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		o := p.Probe(ctx, east)[0]
		require.Equal(t, health.Unknown, o.Answer)
		require.Equal(t, health.Witness, o.Family)

		o = p.Probe(t.Context(), west)[0]
		require.Equal(t, health.Unknown, o.Answer)
		require.Contains(t, o.Cause, "no member cluster")
	})
}

func TestIsolate(t *testing.T) {
	newIsolator := func(t *testing.T, api *region) *aurora.Isolator {
		t.Helper()
		i, err := aurora.NewIsolator(aurora.IsolatorConfig{Region: east, Cluster: "orders-east", API: aurora.NewClient(anyone(), east, "", api)})
		require.NoError(t, err)
		return i
	}
	rebooted := func(api *region) []string {
		var ids []string
		for _, f := range api.asked("RebootDBInstance") {
			ids = append(ids, f.Get("DBInstanceIdentifier"))
		}
		return ids
	}
	t.Run("the instance that is known", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api := &region{answers: map[string]answer{"DescribeDBClusters": memberXML("available", "a", "b"), "RebootDBInstance": says("")}}
			i := newIsolator(t, api)
			require.NoError(t, i.Refresh(t.Context()))
			api.set("DescribeDBClusters", silence)
			require.NoError(t, i.Isolate(within(t.Context(), time.Second), 4), "what is known needs no look")
			require.Equal(t, []string{"a"}, rebooted(api))
		})
	})
	t.Run("another instance has taken over", func(t *testing.T) {
		api := &region{answers: map[string]answer{"DescribeDBClusters": memberXML("available", "a", "b"), "RebootDBInstance": says("")}}
		i := newIsolator(t, api)
		require.NoError(t, i.Refresh(t.Context()))
		api.set("DescribeDBClusters", memberXML("available", "b", "a"))
		require.NoError(t, i.Isolate(t.Context(), 4))
		require.ElementsMatch(t, []string{"a", "b"}, rebooted(api))
	})
	t.Run("nothing is known yet", func(t *testing.T) {
		api := &region{answers: map[string]answer{"DescribeDBClusters": memberXML("available", "a"), "RebootDBInstance": says("")}}
		require.NoError(t, newIsolator(t, api).Isolate(t.Context(), 4))
		require.Equal(t, []string{"a"}, rebooted(api))
	})
	t.Run("it restarts already", func(t *testing.T) {
		api := &region{answers: map[string]answer{
			"DescribeDBClusters": memberXML("available", "a"), "RebootDBInstance": refuses(400, "InvalidDBInstanceState"), "DescribeDBInstances": instances("a", "rebooting"),
		}}
		require.NoError(t, newIsolator(t, api).Isolate(t.Context(), 4))
		api.set("DescribeDBInstances", instances("a", "modifying"))
		require.ErrorContains(t, newIsolator(t, api).Isolate(t.Context(), 4), "aurora: reboot: instance a, asked in us-east-1")
	})
	t.Run("in every state in which it can't be restarted", func(t *testing.T) {
		for state, isolated := range map[string]bool{
			"rebooting": true, "starting": true, "stopping": true, "stopped": true, "deleting": true, "failed": true,
			"inaccessible-encryption-credentials": true, "inaccessible-encryption-credentials-recoverable": true, "incompatible-parameters": true,
			"storage-full": false, "upgrading": false, "modifying": false, "backing-up": false, "maintenance": false, "renaming": false,
			"resetting-master-credentials": false, "configuring-log-exports": false, "incompatible-network": false, "creating": false,
			"available": false, "a new word": false, "": false,
		} {
			api := &region{answers: map[string]answer{
				"DescribeDBClusters": memberXML("available", "a"), "RebootDBInstance": refuses(400, "InvalidDBInstanceState"), "DescribeDBInstances": instances("a", state),
			}}
			require.Equal(t, isolated, newIsolator(t, api).Isolate(t.Context(), 4) == nil, state)
		}
	})
	t.Run("its state can't be had", func(t *testing.T) {
		api := &region{answers: map[string]answer{
			"DescribeDBClusters": memberXML("available", "a"), "RebootDBInstance": refuses(400, "InvalidDBInstanceState"), "DescribeDBInstances": refuses(400, "Throttling"),
		}}
		require.Error(t, newIsolator(t, api).Isolate(t.Context(), 4))
	})
	t.Run("it was deleted", func(t *testing.T) {
		api := &region{answers: map[string]answer{"DescribeDBClusters": memberXML("available", "a"), "RebootDBInstance": refuses(404, "DBInstanceNotFound")}}
		i := newIsolator(t, api)
		require.NoError(t, i.Refresh(t.Context()))
		require.NoError(t, i.Isolate(t.Context(), 4))
		api.set("DescribeDBClusters", memberXML("available", "b"))
		api.set("RebootDBInstance", refuses(400, "InvalidDBInstanceState"))
		api.set("DescribeDBInstances", instances("b", "available"))
		require.Error(t, i.Isolate(t.Context(), 4), "its successor is there")
	})
	t.Run("it may not be asked", func(t *testing.T) {
		api := &region{answers: map[string]answer{"DescribeDBClusters": memberXML("available", "a"), "RebootDBInstance": refuses(403, "AccessDenied")}}
		require.ErrorContains(t, newIsolator(t, api).Isolate(t.Context(), 4), "allow the role the RDS action")
	})
	t.Run("no answer is no isolation", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			api := &region{answers: map[string]answer{"DescribeDBClusters": memberXML("available", "a"), "RebootDBInstance": silence}}
			i := newIsolator(t, api)
			require.NoError(t, i.Refresh(t.Context()))
			began := time.Now()
			require.Error(t, i.Isolate(within(t.Context(), time.Second), 4))
			require.Equal(t, time.Second, time.Since(began))
		})
	})
	t.Run("no instance", func(t *testing.T) {
		api := &region{answers: map[string]answer{"DescribeDBClusters": memberXML("available")}}
		require.ErrorContains(t, newIsolator(t, api).Isolate(t.Context(), 4), "it has no writer instance")
	})
	_, err := aurora.NewIsolator(aurora.IsolatorConfig{Timeout: -1})
	require.ErrorContains(t, err, "Region, Cluster and API are required")
	require.ErrorContains(t, err, "Timeout")
	_, err = aurora.NewControl(aurora.ControlConfig{Family: health.SQL})
	require.ErrorContains(t, err, `Family is`)
}
