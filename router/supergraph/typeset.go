package supergraph

import (
	"iter"
	"math/bits"
)

// ObjectID numbers the object types of a supergraph densely from 0, in name order, so that a set of
// runtime types is a small bitset. It is the only type id that the executor ever meets.
type ObjectID int32

// NoObject is the ObjectID of an object whose runtime type is not known (yet).
const NoObject ObjectID = -1

// TypeSet is a set of object types. The zero value is the empty set. Sets are values that are shared
// freely once built: only Add changes its receiver, everything else returns a new set.
type TypeSet []uint64

// SetOf returns the set of the given object types.
func SetOf(ids ...ObjectID) TypeSet {
	var s TypeSet
	for _, id := range ids {
		s.Add(id)
	}
	return s
}

// Add puts id into the set. It must not be called on a set that others hold.
func (s *TypeSet) Add(id ObjectID) {
	word := int(id) / 64
	for len(*s) <= word {
		*s = append(*s, 0)
	}
	(*s)[word] |= 1 << (uint(id) % 64)
}

// Has reports whether id is in the set; NoObject never is.
func (s TypeSet) Has(id ObjectID) bool {
	word := int(id) >> 6
	return id >= 0 && word < len(s) && s[word]&(1<<(uint(id)%64)) != 0
}

// Empty reports whether the set has no member.
func (s TypeSet) Empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// Len counts the members.
func (s TypeSet) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// All yields the members in ascending order, which is name order.
func (s TypeSet) All() iter.Seq[ObjectID] {
	return func(yield func(ObjectID) bool) {
		for i, w := range s {
			for w != 0 {
				if !yield(ObjectID(i*64 + bits.TrailingZeros64(w))) {
					return
				}
				w &= w - 1
			}
		}
	}
}

// Union returns the types that are in either set.
func (s TypeSet) Union(o TypeSet) TypeSet {
	if len(s) < len(o) {
		s, o = o, s
	}
	out := append(TypeSet(nil), s...)
	for i, w := range o {
		out[i] |= w
	}
	return out
}

// Intersect returns the types that are in both sets.
func (s TypeSet) Intersect(o TypeSet) TypeSet {
	n := min(len(s), len(o))
	out := make(TypeSet, n)
	for i := range n {
		out[i] = s[i] & o[i]
	}
	return out
}

// Minus returns the types of s that are not in o.
func (s TypeSet) Minus(o TypeSet) TypeSet {
	out := append(TypeSet(nil), s...)
	for i := range min(len(s), len(o)) {
		out[i] &^= o[i]
	}
	return out
}

// Intersects reports whether the sets share a type.
func (s TypeSet) Intersects(o TypeSet) bool {
	for i := range min(len(s), len(o)) {
		if s[i]&o[i] != 0 {
			return true
		}
	}
	return false
}

// SubsetOf reports whether every type of s is in o.
func (s TypeSet) SubsetOf(o TypeSet) bool {
	for i, w := range s {
		if i >= len(o) {
			if w != 0 {
				return false
			}
			continue
		}
		if w&^o[i] != 0 {
			return false
		}
	}
	return true
}

// Equal reports whether both sets have the same members.
func (s TypeSet) Equal(o TypeSet) bool { return s.SubsetOf(o) && o.SubsetOf(s) }
