package operation

import "github.com/agora-supergraph/agora/router/supergraph"

// Variant is what a plan depends on besides the operation's text: the values of the booleans in @skip, @include
// and @defer, whether the answer comes in parts, the verdicts on the operation's requirements, and those on the labels of progressive overrides.
// It is a comparable value, made for map keys, and takes no allocation unless an operation has more than 64 of
// one of them.
type Variant struct {
	// Conditions has bit i set if the variable Selected.Conditions[i] is true.
	Conditions Bits
	// Denied has bit i set if the caller does not meet Selected.Requirements[i].
	Denied Bits
	// Defers has bit 0 set if fragments with @defer are to be deferred, and bit i+1 if the variable with which the ith of
	// them is decided says so.
	Defers Bits
	// Overrides has bit i set if label i of Supergraph.Labels is in force.
	Overrides Bits
}

// Bits is an immutable, comparable set of small numbers. The zero value is the empty set.
type Bits struct {
	word uint64
	// rest holds a byte for every eight numbers from 64 on, without trailing zeros: equal sets are equal values.
	rest string
}

// With returns the set with i added.
func (b Bits) With(i int) Bits {
	if i < 64 {
		b.word |= 1 << uint(i)
		return b
	}
	i -= 64
	rest := make([]byte, max(len(b.rest), i/8+1))
	copy(rest, b.rest)
	rest[i/8] |= 1 << uint(i%8)
	b.rest = string(rest)
	return b
}

// Has reports whether i is in the set.
func (b Bits) Has(i int) bool {
	if i < 64 {
		return b.word&(1<<uint(i)) != 0
	}
	i -= 64
	return i/8 < len(b.rest) && b.rest[i/8]&(1<<uint(i%8)) != 0
}

// Variant computes the variant of a request from its coerced variables and from the verdict on each
// requirement; a nil meets denies them all. Overrides are the caller's to add.
func (s *Selected) Variant(values [][]byte, meets func(*supergraph.Requirement) bool) Variant {
	var v Variant
	for i, index := range s.Conditions {
		// Coercion has made it the literal true or false.
		if index < len(values) && len(values[index]) == len("true") && values[index][0] == 't' {
			v.Conditions = v.Conditions.With(i)
		}
	}
	for i, r := range s.Requirements {
		if meets == nil || !meets(r) {
			v.Denied = v.Denied.With(i)
		}
	}
	return v
}

// Deferring is the variant of a client that takes its answer in parts. For an operation without @defer it is the same.
func (s *Selected) Deferring(v Variant, values [][]byte) Variant {
	if !s.Defers || s.Kind == Subscription {
		return v
	}
	v.Defers = v.Defers.With(0)
	for i, index := range s.deferConditions {
		// One that isn't given leaves the argument its default: true.
		if index >= len(values) || values[index] == nil || values[index][0] == 't' {
			v.Defers = v.Defers.With(i + 1)
		}
	}
	return v
}
