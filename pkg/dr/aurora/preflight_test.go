package aurora_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// roler is a server that tells its role.
type roler func(ctx context.Context) (failover.Role, error)

func (r roler) Role(ctx context.Context) (failover.Role, error) { return r(ctx) }

func tells(role failover.Role, err error) roler {
	return func(context.Context) (failover.Role, error) { return role, err }
}

// preflight looks at the west's member through its API.
func preflight(t *testing.T, api *region, server roler) *aurora.Preflight {
	t.Helper()
	p, err := aurora.NewPreflight(aurora.PreflightConfig{
		Cluster: cluster(t, &region{}, api), Member: "orders-us-west-2", API: aurora.NewClient(anyone(), west, "", api), Database: server,
	})
	require.NoError(t, err)
	return p
}

// well is a Region in which a member can be promoted.
func well() map[string]answer {
	return map[string]answer{
		"DescribeGlobalClusters": global("available", east, ""), "DescribeDBClusters": memberXML("available", "a", "b"),
		"DescribeDBInstances": instances("a", "available", "b", "rebooting"),
	}
}

// TestPreflight: what is known to stand in the way of a promotion, what is not known, and
// that the two are never mixed up.
func TestPreflight(t *testing.T) {
	const notFound = "there is no cluster orders-us-west-2"
	resync := global("available", east, "")
	resync.body = strings.Replace(resync.body, "<DBClusterArn>"+clusterARN(west)+"</DBClusterArn>", "<DBClusterArn>"+clusterARN(west)+"</DBClusterArn><SynchronizationStatus>pending-resync</SynchronizationStatus>", 1)
	stranger := global("available", east, "")
	stranger.body = strings.ReplaceAll(stranger.body, "orders-us-west-2", "orders-other")
	secondary := tells(failover.RoleSecondary, nil)
	for name, c := range map[string]struct {
		op      string
		answer  answer
		server  roler
		missing string
		unknown string
		role    failover.Role
		silent  bool
		ready   bool
	}{
		"everything is well":             {role: failover.RoleSecondary, ready: true},
		"a backup runs":                  {op: "DescribeDBClusters", answer: memberXML("backing-up", "a"), role: failover.RoleSecondary, ready: true},
		"it upgrades":                    {op: "DescribeDBClusters", answer: memberXML("upgrading", "a"), role: failover.RoleSecondary, missing: `cluster orders-us-west-2 is "upgrading"`},
		"a word that is not known":       {op: "DescribeDBClusters", answer: memberXML("defragmenting", "a"), role: failover.RoleSecondary, missing: `is "defragmenting"`},
		"there is no such cluster":       {op: "DescribeDBClusters", answer: refuses(404, "DBClusterNotFoundFault"), role: failover.RoleSecondary, missing: notFound},
		"an empty list of clusters":      {op: "DescribeDBClusters", answer: says("<DBClusters></DBClusters>"), role: failover.RoleSecondary, missing: notFound},
		"the cluster throttles":          {op: "DescribeDBClusters", answer: refuses(400, "Throttling"), role: failover.RoleSecondary, unknown: "cluster orders-us-west-2", ready: true},
		"the cluster is forbidden":       {op: "DescribeDBClusters", answer: refuses(403, "AccessDenied"), role: failover.RoleSecondary, unknown: "cluster orders-us-west-2", ready: true},
		"no instance":                    {op: "DescribeDBInstances", answer: instances(), role: failover.RoleSecondary, missing: "it has no instance"},
		"no instance that serves":        {op: "DescribeDBInstances", answer: instances("b", "rebooting", "a", "creating", "c", "upgrading"), role: failover.RoleSecondary, missing: `it has no available instance: [a is "creating" b is "rebooting" c is "upgrading"]`},
		"one of two instances":           {op: "DescribeDBInstances", answer: instances("b", "stopped", "a", "configuring-enhanced-monitoring"), role: failover.RoleSecondary, ready: true},
		"the instances are not told":     {op: "DescribeDBInstances", answer: breaks(errors.New("reset")), role: failover.RoleSecondary, unknown: "the instances of", ready: true},
		"the global cluster throttles":   {op: "DescribeGlobalClusters", answer: refuses(400, "Throttling"), role: failover.RoleSecondary, unknown: "the global cluster", ready: true},
		"a member of another cluster":    {op: "DescribeGlobalClusters", answer: stranger, role: failover.RoleSecondary, missing: "does not belong to global cluster orders"},
		"it waits for a resync":          {op: "DescribeGlobalClusters", answer: resync, role: failover.RoleSecondary, missing: "pending-resync"},
		"its server is silent":           {server: tells("", context.DeadlineExceeded), silent: true, unknown: "its server"},
		"its login can't be read":        {server: tells("", fmt.Errorf("no login: %w", health.ErrNotAsked)), unknown: "its server", ready: true},
		"its server refuses the account": {server: tells("", &mysql.MySQLError{Number: 1045, Message: "Access denied"}), unknown: "its server", ready: true},
		"an error with a role":           {server: tells(failover.RoleWriter, errors.New("cut")), silent: true, unknown: "its server"},
		"it says that it is the writer":  {server: tells(failover.RoleWriter, nil), role: failover.RoleWriter, ready: true},
	} {
		t.Run(name, func(t *testing.T) {
			api, server := &region{answers: well()}, secondary
			if c.op != "" {
				api.set(c.op, c.answer)
			}
			if c.server != nil {
				server = c.server
			}
			r, err := preflight(t, api, server).Preflight(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.role, r.Role)
			require.Equal(t, c.silent, r.Silent)
			require.Equal(t, c.missing == "", len(r.Missing) == 0, "%q", r.Missing)
			require.Equal(t, c.unknown == "", len(r.Unknown) == 0, "%q", r.Unknown)
			require.Contains(t, strings.Join(r.Missing, "; "), c.missing)
			require.Contains(t, strings.Join(r.Unknown, "; "), c.unknown)
			require.Equal(t, c.op != "DescribeGlobalClusters" || c.unknown == "", r.ClusterKnown)
			if r.ClusterKnown {
				require.Equal(t, failover.Cluster{Status: "available", Writer: east}, r.Cluster)
			}
			ready, why := r.Ready()
			require.Equal(t, c.ready, ready, why)
		})
	}
}

// TestPreflightTakesAsLongAsTheSlowestAnswer: everything is asked at the same time, and what
// has not answered by then is unknown.
func TestPreflightTakesAsLongAsTheSlowestAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &region{answers: map[string]answer{"DescribeGlobalClusters": silence, "DescribeDBClusters": silence, "DescribeDBInstances": silence}}
		p := preflight(t, api, func(ctx context.Context) (failover.Role, error) { <-ctx.Done(); return "", ctx.Err() })
		began := time.Now()
		r, err := p.Preflight(within(t.Context(), 700*time.Millisecond))
		require.NoError(t, err)
		require.Equal(t, 700*time.Millisecond, time.Since(began))
		require.Len(t, r.Unknown, 4)
		require.Empty(t, r.Missing)
		require.True(t, r.Silent)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = p.Preflight(ctx)
		require.ErrorIs(t, err, context.Canceled, "nothing was asked at all")
		require.ErrorContains(t, err, "preflight of orders-us-west-2")
	})
}

func TestPreflightConfigReportsEverythingAtOnce(t *testing.T) {
	_, err := aurora.NewPreflight(aurora.PreflightConfig{})
	require.ErrorContains(t, err, "Cluster, API and Database are required")
	require.ErrorContains(t, err, "Member is empty")
}

// TestRole: a server tells its role open or closed, and one that can't know doesn't.
func TestRole(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(s *server)
		dialect aurora.Dialect
		want    failover.Role
		reply   failover.Reply // of the error, when there is no role
	}{
		"the writer":                          {func(*server) {}, aurora.DialectAurora, failover.RoleWriter, 0},
		"a closed writer":                     {func(s *server) { s.readOnly = true }, aurora.DialectAurora, failover.RoleWriter, 0},
		"a secondary":                         {func(s *server) { s.secondary = true }, aurora.DialectAurora, failover.RoleSecondary, 0},
		"a reader beside the writer":          {func(s *server) { s.secondary, s.writers = true, []string{"orders-west-1"} }, aurora.DialectAurora, "", failover.ReplyNotAsked},
		"MySQL that follows nothing":          {func(*server) {}, aurora.DialectMySQL, failover.RoleWriter, 0},
		"MySQL that is closed":                {func(s *server) { s.readOnly = true }, aurora.DialectMySQL, failover.RoleWriter, 0},
		"MySQL that follows another server":   {func(s *server) { s.channels = 1 }, aurora.DialectMySQL, failover.RoleSecondary, 0},
		"MySQL that doesn't let itself asked": {func(s *server) { s.refuse = refusesAll(1142) }, aurora.DialectMySQL, "", failover.ReplyAnswered},
		"a server that refuses the statement": {func(s *server) { s.refuse = refusesAll(1227) }, aurora.DialectAurora, "", failover.ReplyAnswered},
		"a server that takes no connection":   {func(s *server) { s.refuseConnections(1040) }, aurora.DialectAurora, "", failover.ReplyAnswered},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer()
			c.change(s)
			role, err := sqlOn(t, s, func(cfg *aurora.SQLConfig) { cfg.Dialect = c.dialect }).Role(t.Context())
			require.Equal(t, c.want, role)
			require.Equal(t, c.want != "", err == nil, "%v", err)
			if err != nil {
				require.Equal(t, c.reply, failover.ReplyOf(err), "%v", err)
				require.ErrorContains(t, err, "aurora: read the role in us-west-2")
			}
			require.Empty(t, s.statements("CALL"), "it changes nothing")
			require.Empty(t, s.statements("INSERT"))
		})
	}
}

func refusesAll(n uint16) func(string) error {
	return func(string) error { return &mysql.MySQLError{Number: n, Message: "denied"} }
}
