package dr

import (
	"errors"
	"fmt"
	"slices"
)

// Region is an AWS Region by its code, such as "us-east-1".
type Region string

// String returns the Region's code.
func (r Region) String() string { return string(r) }

// Epoch numbers the terms of the writer. It rises by one with every failover and
// switchover and never falls: an effect that carries an older epoch is refused.
type Epoch uint64

// Topology names the Regions of one Aurora Global Database. No role is written
// down here, because one failover would make it a lie.
type Topology struct {
	// GlobalCluster is the identifier of the Aurora global database.
	GlobalCluster string
	// Members are the Regions that hold a member cluster; two are supported.
	Members []Region
	// Witness is the third Region that gives the lease store its majority and a
	// vantage of its own. Empty means none; see [Policy.NoWitness].
	Witness Region
}

// Peer returns the other member Region, or "" when r is not a member.
func (t Topology) Peer(r Region) Region {
	if !slices.Contains(t.Members, r) {
		return ""
	}
	for _, m := range t.Members {
		if m != r {
			return m
		}
	}
	return ""
}

// Vantages returns every Region that observes the others.
func (t Topology) Vantages() []Region {
	if t.Witness == "" {
		return slices.Clone(t.Members)
	}
	return append(slices.Clone(t.Members), t.Witness)
}

// Validate reports everything that is wrong with the topology at once.
func (t Topology) Validate() error {
	var errs []error
	if t.GlobalCluster == "" {
		errs = append(errs, errors.New("dr: topology: GlobalCluster is empty: name the Aurora global database"))
	}
	if len(t.Members) != 2 {
		errs = append(errs, fmt.Errorf("dr: topology: Members has %d Regions: exactly two are supported", len(t.Members)))
	} else if t.Members[0] == t.Members[1] {
		errs = append(errs, fmt.Errorf("dr: topology: both members are in %s: a Region can't stand in for itself", t.Members[0]))
	}
	if t.Witness != "" && slices.Contains(t.Members, t.Witness) {
		errs = append(errs, fmt.Errorf("dr: topology: witness %s is also a member: it must be a third Region", t.Witness))
	}
	return errors.Join(errs...)
}
