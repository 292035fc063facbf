package dynamo

import (
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/wire"
)

// primary is a primary key. sort has no kind in a table without a sort key.
type primary struct {
	partition string
	sort      attr.Value
}

// primary returns the primary key of an item.
func (t *table) primary(it attr.Item) primary {
	k := primary{partition: it[t.schema.Partition.Name].Str}
	if t.schema.Sort.Name != "" {
		k.sort = it[t.schema.Sort.Name]
	}
	return k
}

// item returns a primary key as an item.
func (t *table) item(key primary) attr.Item {
	it := attr.Item{t.schema.Partition.Name: {Kind: t.schema.Partition.Kind, Str: key.partition}}
	if t.schema.Sort.Name != "" {
		it[t.schema.Sort.Name] = key.sort
	}
	return it
}

// keyArgument is a primary key as a request writes it. No table has more than two key
// attributes, so of more than two only the number is known.
type keyArgument struct {
	attributes [2]struct {
		name  string
		value attr.Value
	}
	n int
}

func (k *keyArgument) decode(d *wire.Decoder) error {
	*k = keyArgument{}
	return d.Object(func(name string) error {
		v, err := attr.Decode(d)
		for i := range k.attributes {
			if a := &k.attributes[i]; i == k.n || i < k.n && a.name == name { // the last one of a name counts
				k.n = max(k.n, i+1)
				a.name, a.value = name, v
				return err
			}
		}
		k.n++
		return err
	})
}

// get returns an attribute; one without a kind when there is none.
func (k *keyArgument) get(name string) attr.Value {
	for i := range min(k.n, len(k.attributes)) {
		if a := &k.attributes[i]; a.name == name {
			return a.value
		}
	}
	return attr.Value{}
}

// checkKey refuses a Key that is not exactly the table's primary key.
func (t *table) checkKey(key *keyArgument) (primary, error) {
	want := 1
	if t.schema.Sort.Name != "" {
		want = 2
	}
	if key.n != want {
		return primary{}, validation("The provided key element does not match the schema")
	}
	for _, k := range [2]Key{t.schema.Partition, t.schema.Sort} {
		if k.Name != "" && key.get(k.Name).Kind != k.Kind {
			return primary{}, validation("The provided key element does not match the schema")
		}
	}
	k := primary{partition: key.get(t.schema.Partition.Name).Str}
	if want == 2 {
		k.sort = key.get(t.schema.Sort.Name)
	}
	return k, t.checkKeyValues(k)
}

// checkItem refuses an item without a valid primary key.
func (t *table) checkItem(it attr.Item) error {
	for _, k := range [2]Key{t.schema.Partition, t.schema.Sort} {
		if k.Name == "" {
			continue
		}
		v, ok := it[k.Name]
		if !ok {
			return validation("One or more parameter values were invalid: Missing the key %s in the item", k.Name)
		}
		if v.Kind != k.Kind {
			return validation("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", k.Name, k.Kind, v.Kind)
		}
	}
	return t.checkKeyValues(t.primary(it))
}

// Key sizes: AWS developer guide, quotas.
const (
	maxPartitionKey = 2048
	maxSortKey      = 1024
	maxItem         = 400 << 10
)

func (t *table) checkKeyValues(key primary) error {
	values := [2]string{key.partition, key.sort.Str}
	for i, k := range [2]Key{t.schema.Partition, t.schema.Sort} {
		if k.Name == "" {
			continue
		}
		n := len(values[i])
		switch {
		case n == 0:
			kind := "string"
			if k.Kind == attr.B {
				kind = "binary"
			}
			return validation("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, k.Name)
		case i == 0 && n > maxPartitionKey:
			return validation("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of %d bytes", maxPartitionKey)
		case i == 1 && n > maxSortKey:
			return validation("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of %d bytes", maxSortKey)
		}
	}
	return nil
}
