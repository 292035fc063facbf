package dynamo

import (
	"slices"
	"sync"
	"time"

	"github.com/lifeboat-dr/lifeboat/drills/cloud/internal/attr"
	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

type table struct {
	schema  Table
	history time.Duration
	created time.Time

	mu         sync.Mutex
	partitions map[string]*partition
}

// partition holds the records of one partition key in the order of their sort
// keys.
type partition struct{ records []*record }

// record is one item through time. Keeping a short history is what lets a read
// answer as of a moment ago, and a replica lag behind, without snapshots.
type record struct {
	key      attr.Item
	sort     attr.Value
	versions []version
}

// version is an item from the moment a second Region had it. A nil item is a
// deletion.
type version struct {
	at      time.Time
	region  dr.Region
	item    attr.Item
	encoded []byte // what text has made
}

// text returns the item as JSON, which is made once: an item is read more often than
// it is written. The caller holds the lock; the text never changes.
func (v *version) text() []byte {
	if v.encoded == nil {
		v.encoded = attr.AppendItem(make([]byte, 0, v.item.Size()+32*len(v.item)), v.item)
	}
	return v.encoded
}

func (r *record) last() version {
	if len(r.versions) == 0 {
		return version{}
	}
	return r.versions[len(r.versions)-1]
}

// view selects the version that a reader sees.
type view func(*version) bool

// latest sees everything.
func latest(*version) bool { return true }

// asOf sees what was committed at t or before.
func asOf(t time.Time) view {
	return func(v *version) bool { return !v.at.After(t) }
}

// seen returns the version that a reader sees; nil when there is no item.
func (r *record) seen(by view) *version {
	for i := len(r.versions) - 1; i >= 0; i-- {
		if v := &r.versions[i]; by(v) {
			if v.item == nil {
				return nil
			}
			return v
		}
	}
	return nil
}

func (r *record) push(v version, keep time.Duration) {
	if n := len(r.versions); n > 0 {
		r.versions[n-1].encoded = nil // older versions are rarely read
	}
	r.versions = append(r.versions, v)
	// The newest version older than the window still answers for its start.
	old := 0
	for old+1 < len(r.versions) && v.at.Sub(r.versions[old+1].at) > keep {
		old++
	}
	clear(r.versions[:old]) // what is forgotten is not kept in memory
	r.versions = r.versions[old:]
}

// find returns a record; with create it makes one that has no version yet. The
// caller holds the lock.
func (t *table) find(key primary, create bool) *record {
	p := t.partitions[key.partition]
	if p == nil {
		if !create {
			return nil
		}
		p = &partition{}
		t.partitions[key.partition] = p
	}
	i, ok := p.search(key.sort)
	if ok {
		return p.records[i]
	}
	if !create {
		return nil
	}
	r := &record{key: t.item(key), sort: key.sort}
	p.records = slices.Insert(p.records, i, r)
	return r
}

func (p *partition) search(sort attr.Value) (int, bool) {
	return slices.BinarySearchFunc(p.records, sort, func(r *record, s attr.Value) int {
		order, _ := attr.Compare(r.sort, s)
		return order
	})
}
