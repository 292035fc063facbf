package aurora

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/lifeboat-dr/lifeboat/pkg/dr/failover"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/health"
)

// Roler is a database that tells its role. [SQL] is one.
type Roler interface {
	Role(ctx context.Context) (failover.Role, error)
}

// PreflightConfig says which member is looked at.
type PreflightConfig struct {
	Cluster  *Cluster // the global database, in the member's Region
	Member   string   // the identifier of the member cluster
	API      MemberAPI
	Database Roler // the member's own server
}

// Validate reports everything that is wrong with the configuration at once.
func (c PreflightConfig) Validate() error {
	var errs []error
	if c.Cluster == nil || c.API == nil || c.Database == nil {
		errs = append(errs, errors.New("aurora: preflight: Cluster, API and Database are required"))
	}
	if c.Member == "" {
		errs = append(errs, errors.New("aurora: preflight: Member is empty: name the member cluster of the local Region"))
	}
	return errors.Join(errs...)
}

// Preflight looks at the member of the local Region before it is promoted. It implements
// failover.Preflighter.
type Preflight struct{ cfg PreflightConfig }

var _ failover.Preflighter = (*Preflight)(nil)

// NewPreflight returns a preflight, or everything that its configuration lacks.
func NewPreflight(cfg PreflightConfig) (*Preflight, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Preflight{cfg}, nil
}

// Preflight implements failover.Preflighter.
func (p *Preflight) Preflight(ctx context.Context) (failover.Readiness, error) {
	if err := ctx.Err(); err != nil {
		return failover.Readiness{}, fmt.Errorf("aurora: preflight of %s: %w", p.cfg.Member, err)
	}
	var (
		g                                           global
		m                                           member
		states                                      map[string]string
		role                                        failover.Role
		errGlobal, errCluster, errInstances, errSQL error
		wg                                          sync.WaitGroup
	)
	wg.Go(func() { g, errGlobal = p.cfg.Cluster.describe(ctx, "preflight") })
	wg.Go(func() { m, errCluster = describeCluster(ctx, p.cfg.API, p.cfg.Member) })
	wg.Go(func() { states, errInstances = describeInstances(ctx, p.cfg.API, p.cfg.Member) })
	wg.Go(func() { role, errSQL = p.cfg.Database.Role(ctx) })
	wg.Wait()
	r := failover.Readiness{Role: role}
	unknown := func(what string, err error) { r.Unknown = append(r.Unknown, what+": "+cause(err)) }
	if errGlobal == nil {
		r.Cluster, r.ClusterKnown = g.cluster, true
		if !p.belongs(g) {
			r.Missing = append(r.Missing, fmt.Sprintf("cluster %s does not belong to global cluster %s", p.cfg.Member, p.cfg.Cluster.cfg.GlobalCluster))
		}
		if p.resyncs(g) {
			r.Missing = append(r.Missing, fmt.Sprintf("cluster %s waits for a resynchronization (%s)", p.cfg.Member, types.GlobalClusterMemberSynchronizationStatusPendingResync))
		}
	} else {
		unknown("the global cluster", errGlobal)
	}
	switch {
	case errorCode(errCluster) == "DBClusterNotFoundFault":
		r.Missing = append(r.Missing, "there is no cluster "+p.cfg.Member)
	case errCluster != nil:
		unknown("cluster "+p.cfg.Member, errCluster)
	case m.status == "":
		r.Missing = append(r.Missing, "there is no cluster "+p.cfg.Member)
	case !serving[m.status]:
		r.Missing = append(r.Missing, fmt.Sprintf("cluster %s is %q", p.cfg.Member, m.status))
	}
	if errInstances != nil {
		unknown("the instances of "+p.cfg.Member, errInstances)
	} else if missing := instances(states); missing != "" {
		r.Missing = append(r.Missing, missing)
	}
	if errSQL != nil {
		r.Role = ""
		r.Silent = number(errSQL) == 0 && !errors.Is(errSQL, health.ErrNotAsked)
		unknown("its server", errSQL)
	}
	return r, nil
}

// serving are the states in which RDS promotes a cluster. What else it says (upgrading,
// failing-over, maintenance, stopped) is in the way of a promotion.
var serving = map[string]bool{"available": true, "backing-up": true}

// instances says what is wrong with a member's instances, or nothing: one that is not down
// and not just being made is enough.
func instances(states map[string]string) string {
	if len(states) == 0 {
		return "it has no instance"
	}
	words := make([]string, 0, len(states))
	for id, state := range states {
		if state != "" && state != "creating" && state != "deleting" && state != "upgrading" && !down[state] {
			return ""
		}
		words = append(words, fmt.Sprintf("%s is %q", id, state))
	}
	slices.Sort(words)
	return fmt.Sprintf("it has no available instance: %v", words)
}

func (p *Preflight) belongs(g global) bool { return slices.ContainsFunc(g.members, p.own) }

// resyncs reports whether the member's storage is being built anew, as that of an old
// writer is after a failover: RDS promotes none before it has caught up.
func (p *Preflight) resyncs(g global) bool {
	return slices.ContainsFunc(g.members, func(m types.GlobalClusterMember) bool {
		return p.own(m) && m.SynchronizationStatus == types.GlobalClusterMemberSynchronizationStatusPendingResync
	})
}

func (p *Preflight) own(m types.GlobalClusterMember) bool {
	a, err := arn.Parse(aws.ToString(m.DBClusterArn))
	return err == nil && a.Region == p.cfg.Cluster.cfg.Region.String() && a.Resource == "cluster:"+p.cfg.Member
}

// Role implements failover.RoleReader, by the account of the heartbeats: on Aurora by
// whether the server's storage takes writes and no instance beside it is the writer, on
// MySQL by whether it is configured to follow another server.
func (s *SQL) Role(ctx context.Context) (failover.Role, error) {
	role := failover.RoleWriter
	err := s.session(ctx, s.cfg.DB, "read the role", func(c *sql.Conn) error {
		m, err := s.mode(ctx, c)
		switch {
		case err != nil:
			return err
		case m.secondary:
			role = failover.RoleSecondary
			return s.provenSecondary(ctx, c)
		case s.cfg.Dialect != DialectMySQL:
			return nil
		}
		var follows bool
		err = c.QueryRowContext(ctx, "SELECT COUNT(*) > 0 FROM performance_schema.replication_connection_status").Scan(&follows)
		if follows {
			role = failover.RoleSecondary
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return role, nil
}
