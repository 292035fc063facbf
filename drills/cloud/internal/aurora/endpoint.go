package aurora

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Port is the port that every server is said to listen on.
const Port = 3306

// hash makes the part of an AWS name that AWS generates; equal inputs give
// equal names, so two runs of a drill print the same.
func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:6])
}

// names are the derived names of one global database, made once: describing
// is the hottest call of a drill.
type names struct {
	global, resource string
	members          []memberNames
}

type memberNames struct {
	arn, resource           string
	cluster, reader         string
	instances, instanceARNs []string
	availability            []string
}

func newNames(cfg Config) names {
	unique := hash(cfg.Account, cfg.GlobalCluster)
	n := names{
		global:   cfg.GlobalCluster + ".global-" + unique + ".global.rds.amazonaws.com",
		resource: "cluster-" + unique,
	}
	for _, m := range cfg.Members {
		region := string(m.Region)
		prefix := "arn:aws:rds:" + region + ":" + cfg.Account
		suffix := "c" + hash(cfg.Account, region) + "." + region + ".rds.amazonaws.com"
		mn := memberNames{
			arn:      prefix + ":cluster:" + m.Cluster,
			resource: "cluster-" + hash(region, m.Cluster),
			cluster:  m.Cluster + ".cluster-" + suffix,
			reader:   m.Cluster + ".cluster-ro-" + suffix,
		}
		for j, id := range m.Instances {
			mn.instances = append(mn.instances, id+"."+suffix)
			mn.instanceARNs = append(mn.instanceARNs, prefix+":db:"+id)
			mn.availability = append(mn.availability, region+string(rune('a'+j%3)))
		}
		n.members = append(n.members, mn)
	}
	return n
}

// GlobalEndpoint returns the global writer endpoint, in AWS's form
// <global-id>.global-<unique>.global.rds.amazonaws.com.
func (s *Service) GlobalEndpoint() string { return s.names.global }

// ClusterEndpoint returns the writer endpoint of a Region's cluster; empty for
// a Region without one.
func (s *Service) ClusterEndpoint(r dr.Region) string {
	if i, ok := s.in(r); ok {
		return s.names.members[i].cluster
	}
	return ""
}

// ClusterARN returns the ARN of a Region's cluster; empty for a Region without
// one.
func (s *Service) ClusterARN(r dr.Region) string {
	if i, ok := s.in(r); ok {
		return s.names.members[i].arn
	}
	return ""
}

func (s *Service) in(r dr.Region) (int, bool) {
	for i, m := range s.cfg.Members {
		if m.Region == r {
			return i, true
		}
	}
	return 0, false
}

// record is what the global writer endpoint points at from a moment on.
type record struct {
	at     time.Time
	writer int
}

// Resolved returns the Region that the global writer endpoint pointed at some
// time ago.
func (s *Service) Resolved(ago time.Duration) dr.Region {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := time.Now().Add(-ago)
	for i := len(s.dns) - 1; i > 0; i-- {
		if !s.dns[i].at.After(limit) {
			return s.cfg.Members[s.dns[i].writer].Region
		}
	}
	return s.cfg.Members[s.dns[0].writer].Region
}

// Names maps every cluster, reader and instance endpoint to its Region.
func (s *Service) Names() map[string]dr.Region {
	out := map[string]dr.Region{}
	for i, m := range s.names.members {
		r := s.cfg.Members[i].Region
		out[m.cluster], out[m.reader] = r, r
		for _, name := range m.instances {
			out[name] = r
		}
	}
	return out
}
