package model

import "hash/maphash"

// set numbers states in the order in which it gets to know them. Of each it keeps 128 bits
// of two hashes: two of a hundred million states share those with a probability of less
// than 1e-22. Seeds are drawn anew for each search.
type set struct {
	seeds  [2]maphash.Seed
	n      uint32
	shards [256]shard // each grows alone, so that the whole is never there twice
}

type shard struct {
	slots []slot // a power of two; probed linearly
	used  int
}

// slot holds a hash in two halves of 32 bits each, which keeps it at 20 bytes.
type slot struct {
	hash [4]uint32
	next uint32 // the state's number and one; 0 is free
}

func newSet() *set {
	s := &set{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	for i := range s.shards {
		s.shards[i].slots = make([]slot, 16)
	}
	return s
}

func (s *set) hash(t *State) (h [4]uint32) {
	a, b := maphash.Comparable(s.seeds[0], *t), maphash.Comparable(s.seeds[1], *t)
	return [4]uint32{uint32(a), uint32(a >> 32), uint32(b), uint32(b >> 32)}
}

// id returns a state's number, and whether it was new.
func (s *set) id(t *State) (uint32, bool) {
	h := s.hash(t)
	sh := &s.shards[h[0]&255]
	at := sh.find(h)
	if at.next != 0 {
		return at.next - 1, false
	}
	s.n++
	*at = slot{h, s.n}
	if sh.used++; sh.used*4 > len(sh.slots)*3 {
		sh.grow()
	}
	return s.n - 1, true
}

// is reports whether a state has a number, without giving it one.
func (s *set) is(t *State, id uint32) bool {
	h := s.hash(t)
	return s.shards[h[0]&255].find(h).next == id+1
}

// find returns the slot of a hash, or the free one where it belongs.
func (s *shard) find(h [4]uint32) *slot {
	for i := uint32(h[1]); ; i++ {
		at := &s.slots[i&uint32(len(s.slots)-1)]
		if at.next == 0 || at.hash == h {
			return at
		}
	}
}

func (s *shard) grow() {
	old := s.slots
	s.slots = make([]slot, 2*len(old))
	for i := range old {
		if old[i].next != 0 {
			*s.find(old[i].hash) = old[i]
		}
	}
}
