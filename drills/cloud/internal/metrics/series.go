package metrics

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lifeboat-dr/lifeboat/pkg/dr"
)

// Dimension is one name and value of a metric's identity.
type Dimension struct{ Name, Value string }

// Metric identifies a metric inside a Region.
type Metric struct {
	Namespace  string
	Name       string
	Dimensions []Dimension
}

// key is equal for equal metrics: the order of dimensions has no meaning.
func (m Metric) key() string {
	dims := slices.Clone(m.Dimensions)
	slices.SortFunc(dims, func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) })
	var b strings.Builder
	b.WriteString(m.Namespace + "\x00" + m.Name)
	for _, d := range dims {
		b.WriteString("\x00" + d.Name + "\x00" + d.Value)
	}
	return b.String()
}

// maxBuckets bounds a series: three hours at one second, which is also how
// long CloudWatch keeps points of that resolution.
const maxBuckets = 3 * 60 * 60

// bucket is what one metric got within its resolution.
type bucket struct {
	start   int64 // seconds since the epoch
	visible time.Time
	sample
}

type sample struct{ count, sum, min, max float64 }

func (s *sample) add(o sample) {
	if s.count == 0 {
		*s = o
		return
	}
	s.count += o.count
	s.sum += o.sum
	s.min = min(s.min, o.min)
	s.max = max(s.max, o.max)
}

func one(v float64) sample { return sample{count: 1, sum: v, min: v, max: v} }

// stat returns a statistic by CloudWatch's name.
func (s sample) stat(name string) (float64, bool) {
	switch name {
	case "Average":
		return s.sum / s.count, true
	case "Sum":
		return s.sum, true
	case "Minimum":
		return s.min, true
	case "Maximum":
		return s.max, true
	case "SampleCount":
		return s.count, true
	}
	return 0, false
}

type series struct {
	unit    string
	buckets []bucket // by start
}

// record adds a sample to a metric of a Region. resolution is 1 or 60 seconds.
// The caller holds the lock.
func (s *Service) record(r dr.Region, m Metric, at time.Time, resolution int64, unit string, v sample) {
	st := s.regions[r]
	key := m.key()
	se := st.series[key]
	if se == nil {
		se = &series{}
		st.series[key] = se
	}
	se.unit = unit
	start := at.Unix() - at.Unix()%resolution
	visible := time.Time{}
	if strings.HasPrefix(m.Namespace, "AWS/") {
		visible = time.Unix(start+resolution, 0).Add(s.cfg.Delay)
	}
	i, ok := slices.BinarySearchFunc(se.buckets, start, func(b bucket, t int64) int { return cmp.Compare(b.start, t) })
	if !ok {
		se.buckets = slices.Insert(se.buckets, i, bucket{start: start, visible: visible})
	}
	se.buckets[i].add(v)
	if over := len(se.buckets) - maxBuckets; over > 0 {
		se.buckets = slices.Delete(se.buckets, 0, over)
	}
}

// Record adds one value of an AWS service's own metric, which has a resolution
// of a minute.
func (s *Service) Record(r dr.Region, m Metric, at time.Time, unit string, value float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.regions[r] != nil {
		s.record(r, m, at, 60, unit, one(value))
	}
}

// point is one period of a query's answer.
type point struct {
	at time.Time
	sample
}

// points aggregates a metric by period over [from, to), oldest first.
func (st *store) points(m Metric, period int64, from, to time.Time) []point {
	se := st.series[m.key()]
	if se == nil || period <= 0 {
		return nil
	}
	now := time.Now()
	lo := from.Unix() - from.Unix()%period
	i, _ := slices.BinarySearchFunc(se.buckets, lo, func(b bucket, t int64) int { return cmp.Compare(b.start, t) })
	var out []point
	for _, b := range se.buckets[i:] {
		if b.start >= to.Unix() {
			break
		}
		if b.visible.After(now) {
			continue
		}
		at := time.Unix(b.start-b.start%period, 0).UTC()
		if n := len(out); n == 0 || !out[n-1].at.Equal(at) {
			out = append(out, point{at: at})
		}
		out[len(out)-1].add(b.sample)
	}
	return out
}
