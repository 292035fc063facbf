package dynamo

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/expr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// read runs act with the view that the call is entitled to.
func (s *Service) read(ctx context.Context, call wire.Call, rq *request, act func(view)) error {
	if !rq.consistent {
		act(s.replica(call.Region, call.AsOf))
		return ctx.Err()
	}
	return s.quorum(ctx, call.Region, func() error {
		if call.AsOf > 0 {
			act(asOf(time.Now().Add(-call.AsOf)))
		} else {
			act(latest)
		}
		return nil
	})
}

// replica is what one Region's replica has by itself: its own writes at once,
// those of others after half a round trip, and nothing new while isolated.
func (s *Service) replica(r dr.Region, ago time.Duration) view {
	own := time.Now().Add(-ago)
	foreign := own
	if _, rtt, changed := s.cfg.Links.Nearest(r); changed == nil {
		foreign = own.Add(-rtt / 2)
	} else if since, ok := s.cfg.Links.IsolatedSince(r); ok && since.Before(foreign) {
		foreign = since
	}
	return func(v *version) bool {
		if v.region == r {
			return !v.at.After(own)
		}
		return !v.at.After(foreign)
	}
}

func (rq *request) parseProjection() (expr.Projection, error) {
	if rq.projection == "" {
		return nil, nil
	}
	return rq.params.Projection(rq.projection)
}

func (s *Service) get(ctx context.Context, call wire.Call, t *table, rq *request) ([]byte, error) {
	projection, err := rq.parseProjection()
	if err == nil {
		err = rq.params.Unused()
	}
	if err != nil {
		return nil, requestError(err)
	}
	key, err := t.checkKey(&rq.key)
	if err != nil {
		return nil, err
	}
	var it attr.Item
	var text []byte
	err = s.read(ctx, call, rq, func(v view) {
		t.mu.Lock()
		defer t.mu.Unlock()
		rec := t.find(key, false)
		if rec == nil {
			return
		}
		if found := rec.seen(v); found != nil {
			it, text = found.item, found.text()
		}
	})
	if err != nil {
		return nil, err
	}
	if it == nil {
		return []byte("{}"), nil
	}
	if projection != nil {
		text = attr.AppendItem(nil, projection.Apply(it))
	}
	b := append(make([]byte, 0, len(`{"Item":}`)+len(text)), `{"Item":`...)
	return append(append(b, text...), '}'), nil
}

func (s *Service) query(ctx context.Context, call wire.Call, t *table, rq *request) ([]byte, error) {
	if rq.keyCondition == "" {
		return nil, validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	key, err := rq.params.Key(rq.keyCondition, t.schema.Partition.Name, t.schema.Sort.Name)
	if err != nil {
		return nil, requestError(err)
	}
	var filter *expr.Condition
	if rq.filter != "" {
		if filter, err = rq.params.Condition("FilterExpression", rq.filter); err != nil {
			return nil, requestError(err)
		}
	}
	projection, err := rq.parseProjection()
	if err == nil {
		err = rq.params.Unused()
	}
	if err != nil {
		return nil, requestError(err)
	}
	if key.Partition.Kind != t.schema.Partition.Kind {
		return nil, validation("One or more parameter values were invalid: Condition parameter type does not match schema type")
	}
	var start primary
	if rq.start != nil {
		if start, err = t.checkKey(rq.start); err != nil {
			return nil, validation("The provided starting key is invalid: %v", err)
		}
	}
	var page page
	err = s.read(ctx, call, rq, func(v view) {
		t.mu.Lock()
		defer t.mu.Unlock()
		page = t.page(v, rq, start, key, filter)
	})
	if err != nil {
		return nil, err
	}
	return page.append(rq, projection), nil
}

// page is the part of a partition that one Query returns.
type page struct {
	items   []found
	scanned int
	last    attr.Item // LastEvaluatedKey
}

// found is an item and its JSON.
type found struct {
	item attr.Item
	text []byte
}

// page collects matching items; the caller holds the lock. DynamoDB's 1 MB page
// limit is not emulated.
func (t *table) page(v view, rq *request, start primary, key *expr.KeyCondition, filter *expr.Condition) page {
	var out page
	p := t.partitions[key.Partition.Str]
	if p == nil {
		return out
	}
	records := p.records
	if rq.start != nil {
		i, exact := p.search(start.sort)
		switch {
		case rq.backward:
			records = records[:i]
		case exact:
			records = records[i+1:]
		default:
			records = records[i:]
		}
	}
	order := slices.All(records)
	if rq.backward {
		order = slices.Backward(records)
	}
	for _, rec := range order {
		it := rec.seen(v)
		if it == nil || !key.MatchSort(it.item) {
			continue
		}
		out.scanned++
		if filter == nil || filter.Match(it.item) {
			out.items = append(out.items, found{it.item, it.text()})
		}
		if out.scanned == rq.limit {
			out.last = rec.key
			break
		}
	}
	return out
}

func (p page) append(rq *request, projection expr.Projection) []byte {
	size := 128
	for _, it := range p.items {
		size += len(it.text) + 1
	}
	b := append(make([]byte, 0, size), `{"Count":`...)
	b = strconv.AppendInt(b, int64(len(p.items)), 10)
	b = append(b, `,"ScannedCount":`...)
	b = strconv.AppendInt(b, int64(p.scanned), 10)
	if !rq.count {
		b = append(b, `,"Items":[`...)
		for i, it := range p.items {
			if i > 0 {
				b = append(b, ',')
			}
			if projection != nil {
				it.text = attr.AppendItem(nil, projection.Apply(it.item))
			}
			b = append(b, it.text...)
		}
		b = append(b, ']')
	}
	if p.last != nil {
		b = append(b, `,"LastEvaluatedKey":`...)
		b = attr.AppendItem(b, p.last)
	}
	return append(b, '}')
}
