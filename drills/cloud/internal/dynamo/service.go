// Package dynamo emulates DynamoDB tables with multi-Region strong consistency
// (MRSC): two replicas and a witness.
//
// What it holds to (AWS: DynamoDB developer guide, "How DynamoDB global tables
// work"): a write reaches at least one other Region before it is acknowledged;
// conditions are evaluated against the latest version anywhere; a strongly
// consistent read sees it on any replica; a write to an item that is being
// written in another Region fails with ReplicatedWriteConflictException; there
// are no transactions, no TTL and no local secondary indexes; clients can neither
// read nor write the witness.
//
// A write or strongly consistent read therefore needs its Region to reach one
// of the other two, and costs one round trip to the nearest. Eventually
// consistent reads (DynamoDB's default) are answered by the local replica and
// keep working in an isolated Region, with what it last knew.
package dynamo

import (
	"context"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/links"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Key names a key attribute and its kind.
type Key struct {
	Name string
	Kind attr.Kind
}

// Table is the schema of one table. Sort.Name is empty without a sort key.
type Table struct {
	Name            string
	Partition, Sort Key
}

// Config describes the emulated service.
type Config struct {
	Account  string
	Replicas []dr.Region
	Witness  dr.Region
	Tables   []Table
	Links    *links.Links
	// FailWithoutQuorum answers InternalServerError at once instead of hanging
	// until a link is back or the caller gives up.
	FailWithoutQuorum bool
	// History is how far back a stale read can look.
	History time.Duration
}

// Service is the emulated DynamoDB. It is safe for concurrent use.
type Service struct {
	cfg    Config
	tables map[string]*table
}

// New returns a Service with empty tables.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg, tables: map[string]*table{}}
	for _, t := range cfg.Tables {
		s.tables[t.Name] = &table{schema: t, history: cfg.History, created: time.Now(), partitions: map[string]*partition{}}
	}
	return s
}

// Serve answers one call.
func (s *Service) Serve(ctx context.Context, call wire.Call) ([]byte, error) {
	switch call.Operation {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query":
	case "DescribeTable":
		return s.describe(call)
	case "TransactWriteItems", "TransactGetItems":
		return nil, validation("Transactional operations are not supported on a table with multi-Region strong consistency")
	case "UpdateTimeToLive":
		return nil, validation("Time to Live is not supported on a table with multi-Region strong consistency")
	default:
		return nil, wire.NotEmulated("dynamodb", "operation "+call.Operation)
	}
	rq := newRequest(call.Operation)
	defer rq.free()
	if err := rq.parse(call.Body); err != nil {
		return nil, err
	}
	t, err := s.table(call.Region, rq.table)
	if err != nil {
		return nil, err
	}
	switch call.Operation {
	case "GetItem":
		return s.get(ctx, call, t, rq)
	case "Query":
		return s.query(ctx, call, t, rq)
	default:
		return s.write(ctx, call, t, rq)
	}
}

// table finds a table as a Region sees it: the witness has none.
func (s *Service) table(r dr.Region, name string) (*table, error) {
	for _, replica := range s.cfg.Replicas {
		if replica == r {
			if t := s.tables[name]; t != nil {
				return t, nil
			}
		}
	}
	if name == "" {
		return nil, validation("The parameter 'TableName' is required but was not present in the request")
	}
	return nil, wire.Refuse(400, "ResourceNotFoundException", "Requested resource not found")
}

// Items returns what is stored under a partition key whose sort keys have a prefix, in
// their order, past every link: text, number and bytes only, by attribute.
func (s *Service) Items(table, partition, prefix string) []map[string]string {
	t := s.tables[table]
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[partition]
	if p == nil {
		return nil
	}
	var out []map[string]string
	for _, rec := range p.records {
		it := rec.last().item
		if it == nil || !strings.HasPrefix(rec.sort.Str, prefix) {
			continue
		}
		row := make(map[string]string, len(it))
		for name, v := range it {
			row[name] = v.Str
		}
		out = append(out, row)
	}
	return out
}

func validation(format string, args ...any) error {
	return wire.Refuse(400, "ValidationException", format, args...)
}

// quorum runs act at the moment a second Region has the request, and returns
// when the answer is back: one round trip to the nearest reachable Region. If
// the link breaks on the way back the act has happened and the caller gets no answer,
// which is what makes a timed-out write ambiguous.
func (s *Service) quorum(ctx context.Context, r dr.Region, act func() error) error {
	for {
		peer, half, err := s.peer(ctx, r)
		if err != nil {
			return err
		}
		if err := s.cfg.Links.Sleep(ctx, half); err != nil {
			return err
		}
		if !s.cfg.Links.Up(r, peer) {
			continue // the request was lost; another peer may answer
		}
		result := act()
		if err := s.cfg.Links.Sleep(ctx, half); err != nil {
			return err
		}
		if _, _, err := s.peer(ctx, r); err != nil {
			return err
		}
		return result
	}
}

// peer returns the nearest reachable Region and half its round trip, waiting
// for a link when there is none.
func (s *Service) peer(ctx context.Context, r dr.Region) (dr.Region, time.Duration, error) {
	for {
		peer, rtt, changed := s.cfg.Links.Nearest(r)
		if changed == nil {
			return peer, rtt / 2, nil
		}
		if s.cfg.FailWithoutQuorum {
			return "", 0, wire.Refuse(500, "InternalServerError", "The request could not be completed: %s has no quorum", r)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", 0, ctx.Err()
		}
	}
}
