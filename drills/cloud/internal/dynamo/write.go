package dynamo

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/expr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// change is one checked write.
type change struct {
	table     *table
	rq        *request
	key       primary
	condition *expr.Condition
	update    *expr.Update
}

// write serves PutItem, UpdateItem and DeleteItem.
func (s *Service) write(ctx context.Context, call wire.Call, t *table, rq *request) ([]byte, error) {
	c, err := t.change(rq)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var before, after attr.Item
	var text []byte
	err = s.quorum(ctx, call.Region, func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		rec := t.find(c.key, true)
		last := rec.last()
		if last.region != call.Region && last.at.After(began) {
			return wire.Refuse(400, "ReplicatedWriteConflictException",
				"Operation failed because the item is being modified in another Region. Retry the operation.")
		}
		var err error
		before = last.item
		if after, err = c.apply(before); err != nil {
			return err
		}
		if before != nil || after != nil { // deleting nothing is no version
			rec.push(version{at: time.Now(), region: call.Region, item: after}, t.history)
			if rq.returnValues == "ALL_NEW" {
				text = rec.versions[len(rec.versions)-1].text()
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.answer(before, after, text), nil
}

// change checks everything about a write that needs no item.
func (t *table) change(rq *request) (*change, error) {
	c := &change{table: t, rq: rq}
	var err error
	if rq.operation == "PutItem" {
		if err = t.checkItem(rq.item); err != nil {
			return nil, err
		}
		if rq.item.Size() > maxItem {
			return nil, validation("Item size has exceeded the maximum allowed size")
		}
		c.key = t.primary(rq.item)
	}
	if rq.condition != "" {
		if c.condition, err = rq.params.Condition("ConditionExpression", rq.condition); err != nil {
			return nil, requestError(err)
		}
	}
	if rq.update != "" && rq.operation == "UpdateItem" {
		if c.update, err = rq.params.Update(rq.update); err != nil {
			return nil, requestError(err)
		}
		for _, name := range c.update.Names() {
			if name == t.schema.Partition.Name || name == t.schema.Sort.Name {
				return nil, validation("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", name)
			}
		}
	}
	if err := rq.params.Unused(); err != nil {
		return nil, requestError(err)
	}
	if rq.operation != "PutItem" {
		if c.key, err = t.checkKey(&rq.key); err != nil {
			return nil, err
		}
	}
	allowed := []string{"NONE", "ALL_OLD"}
	if rq.operation == "UpdateItem" {
		allowed = append(allowed, "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
	}
	if !slices.Contains(allowed, rq.returnValues) {
		return nil, validation("Return values set to invalid value")
	}
	return c, nil
}

// apply returns the item after the write; nil after a deletion.
func (c *change) apply(before attr.Item) (attr.Item, error) {
	if c.condition != nil && !c.condition.Match(before) {
		e := wire.Refuse(400, "ConditionalCheckFailedException", "The conditional request failed")
		if c.rq.returnOldFail && before != nil {
			e.Members = attr.AppendItem([]byte(`"Item":`), before)
		}
		return nil, e
	}
	switch c.rq.operation {
	case "PutItem":
		return c.rq.item, nil
	case "DeleteItem":
		return nil, nil
	}
	base := before
	if base == nil {
		base = c.table.item(c.key)
	}
	if c.update == nil {
		return maps.Clone(base), nil
	}
	after, err := c.update.Apply(base)
	if err != nil {
		return nil, requestError(err)
	}
	if after.Size() > maxItem {
		return nil, validation("Item size to update has exceeded the maximum allowed size")
	}
	return after, nil
}

// answer writes what ReturnValues asks for; text is the new item for ALL_NEW.
func (c *change) answer(before, after attr.Item, text []byte) []byte {
	var it attr.Item
	switch c.rq.returnValues {
	case "ALL_OLD":
		it = before
	case "ALL_NEW":
		b := append(make([]byte, 0, len(`{"Attributes":}`)+len(text)), `{"Attributes":`...)
		return append(append(b, text...), '}')
	case "UPDATED_OLD", "UPDATED_NEW":
		if it = after; c.rq.returnValues == "UPDATED_OLD" {
			it = before
		}
		if c.update != nil {
			it = c.update.Touched().Apply(it)
		} else {
			it = nil
		}
	}
	if len(it) == 0 {
		return []byte("{}")
	}
	b := append(make([]byte, 0, 256), `{"Attributes":`...)
	return append(attr.AppendItem(b, it), '}')
}
