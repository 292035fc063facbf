package boot

import (
	"context"

	"github.com/lifeboat-dr/lifeboat/lambdas/function/assembly"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr/aurora"
)

// Saw gives the login why a connection could not be made.
func (l *Login) Saw(err error) { l.saw(err) }

// NewServer returns the source of a pool's connections.
func NewServer(address string, l *Login) aurora.MySQLSource {
	return server{named{Address: address}, l}
}

// NewFoundServer returns the source of a pool whose address is in a book, and what ends
// its looks.
func NewFoundServer(r dr.Region, book Addresses, l *Login) (aurora.MySQLSource, func()) {
	at := newLookup(r, book)
	return server{at, l}, func() { _ = at.Close() }
}

// ReplicaAgain is how long the name of a replica's endpoint is believed.
const ReplicaAgain = replicaAgain

// FindReplica returns what finds a replica's endpoint.
func FindReplica(r dr.Region, alias func(context.Context, string) (string, error)) func(context.Context) (string, error) {
	return newReplica(r, alias).find
}

// URL returns a service's address in a Region.
func (s Settings) URL(service assembly.Service, r dr.Region) string { return s.url(service, r) }

// DrillVariables are what drills alone set.
var DrillVariables = drillVariables
