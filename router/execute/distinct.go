package execute

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Equal representations are sent once. Most objects ask for what another one has asked for already, so the plain
// representations, which hold nothing but leaves, are found by the hash of their values and compared value by value:
// only those that are new are written. Others are written, hashed, and cut off again if there is an equal one.

// seed and salts make the hashes of this process unlike those of any other: a subgraph can't choose keys that
// collide.
var (
	seed  = maphash.MakeSeed()
	salts = [2]uint64{rand.Uint64() | 1, rand.Uint64() | 1}
)

// stencil is the text around the values of a target's plain representations of one type.
type stencil struct {
	// text is that of a whole representation, ends are the places in it where the values go.
	text    []byte
	ends    []int32
	variant int
	id      supergraph.ObjectID
}

// isPlain reports whether representations of a target hold nothing but leaves, the same for all objects.
func isPlain(t *plan.Target) bool {
	for _, fields := range t.Representations {
		if len(fields) == 0 {
			return false
		}
		for i := range fields {
			if f := &fields[i]; f.Fields != nil || f.Types != nil || f.TypeName {
				return false
			}
		}
	}
	return true
}

// askPlain finds or writes a plain representation; ok is false if the object's values aren't plain after all. Else it
// returns the index in sent, or -1 and what is in the way.
func (w *walk) askPlain(base int, id supergraph.ObjectID, variant int) (sent int32, why word, ok bool) {
	r, fields := w.r, w.target.Representations[variant]
	hash, why := w.hash(fields, base)
	switch {
	case why >= object:
		return -1, 0, false
	case why != 0:
		return -1, why, true
	}
	if w.entities.Representations[variant].TypeName == "" {
		hash = mix(hash, uint64(id), 0)
	}
	if 2*(len(r.sent)+1) > len(r.table) {
		r.grow()
	}
	mask := uint64(len(r.table) - 1)
	i := hash & mask
	for ; r.table[i] != 0; i = (i + 1) & mask {
		have := &r.sent[r.table[i]-1]
		if have.hash == hash && have.variant == int32(variant) && w.same(have, fields, base, id) {
			return r.table[i] - 1, 0, true
		}
	}
	w.writePlain(fields, base, id, variant)
	r.sent = append(r.sent, representation{hash: hash, variant: int32(variant), first: -1, last: -1})
	r.table[i] = int32(len(r.sent))
	return int32(len(r.sent) - 1), 0, true
}

// hash hashes the values of a plain representation. It returns the word that is in the way if the object can't be
// represented, or one of an object or list if a value is no leaf.
func (w *walk) hash(fields []plan.RepresentationField, base int) (hash uint64, why word) {
	a := &w.state.arena
	hash = salts[0]
	for i := range fields {
		f := &fields[i]
		v := a.words[base+f.Slot]
		switch {
		case v >= object:
			return 0, v
		case !v.isNull():
			hash = hashBytes(hash, a.raw(v))
		case f.Key || f.NonNull:
			return 0, max(v, null)
		default:
			hash = mix(hash, 0, 0)
		}
	}
	return hash, 0
}

// hashBytes adds some JSON to a hash; keys are short.
func hashBytes(hash uint64, b []byte) uint64 {
	n := len(b)
	switch {
	case n > 16:
		return mix(hash, maphash.Bytes(seed, b), uint64(n))
	case n >= 8:
		return mix(hash, binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])+uint64(n))
	case n >= 4:
		return mix(hash, uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))<<8+uint64(n))
	}
	return mix(hash, uint64(b[0])<<16|uint64(b[n/2])<<8|uint64(b[n-1]), uint64(n))
}

func mix(hash, x, y uint64) uint64 {
	high, low := bits.Mul64(x^salts[0]^hash, y^salts[1]^bits.RotateLeft64(hash, 32))
	return high ^ low
}

// same reports whether the object at base has the plain representation that was sent for another one. If so, its
// values become the other's: equal bytes, which the next to look at them finds in the processor's cache.
func (w *walk) same(have *representation, fields []plan.RepresentationField, base int, id supergraph.ObjectID) bool {
	a, first := &w.state.arena, &w.r.objects[have.first]
	if a.typeOf(first.base) != id && w.entities.Representations[have.variant].TypeName == "" {
		return false
	}
	others := w.entities.Targets[first.target].Representations[have.variant]
	for i := range fields {
		v, other := a.words[base+fields[i].Slot], a.words[first.base+others[i].Slot]
		if v == other || v.isNull() && other.isNull() {
			continue
		}
		if v.isNull() || other.isNull() || !bytes.Equal(a.raw(v), a.raw(other)) {
			return false
		}
	}
	for i := range fields {
		if f := &fields[i]; f.Key {
			a.words[base+f.Slot] = a.words[first.base+others[i].Slot]
		}
	}
	return true
}

// writePlain writes a plain representation.
func (w *walk) writePlain(fields []plan.RepresentationField, base int, id supergraph.ObjectID, variant int) {
	a, st, b := &w.state.arena, &w.state.stencil, w.f.body
	if len(st.text) == 0 || st.variant != variant || st.id != id {
		st.draw(fields, w.typeName(variant, id))
		st.variant, st.id = variant, id
	}
	at := int32(0)
	if len(w.r.sent) == 0 {
		// The comma.
		at = 1
	}
	for i := range fields {
		b = append(b, st.text[at:st.ends[i]]...)
		at = st.ends[i]
		if v := a.words[base+fields[i].Slot]; v.isNull() {
			b = append(b, "null"...)
		} else {
			b = append(b, a.raw(v)...)
		}
	}
	w.f.body = append(b, '}')
}

// draw makes the text for representations of a type: ,{"__typename":"T","a":|,"b":|
func (st *stencil) draw(fields []plan.RepresentationField, typeName string) {
	b := append(append(append(st.text[:0], `,{"__typename":"`...), typeName...), '"')
	st.ends = st.ends[:0]
	for i := range fields {
		b = appendName(b, fields[i].Name, false)
		st.ends = append(st.ends, int32(len(b)))
	}
	st.text = b
}

// unique returns the index of the representation at the end of the body, from start on. If an equal one was
// sent before, the body is cut back to where it was.
func (w *walk) unique(start int) int32 {
	r, body := w.r, w.f.body
	if 2*(len(r.sent)+1) > len(r.table) {
		r.grow()
	}
	hash := maphash.Bytes(seed, body[start:])
	mask := uint64(len(r.table) - 1)
	i := hash & mask
	for ; r.table[i] != 0; i = (i + 1) & mask {
		have := &r.sent[r.table[i]-1]
		if have.hash == hash && have.variant < 0 && bytes.Equal(body[have.start:have.end], body[start:]) {
			// A duplicate is never the first, so there is a comma to cut, too.
			w.f.body = body[:start-1]
			return r.table[i] - 1
		}
	}
	r.sent = append(r.sent, representation{hash: hash, start: start, end: len(body), variant: -1, first: -1, last: -1})
	r.table[i] = int32(len(r.sent))
	return int32(len(r.sent) - 1)
}

func (r *represented) grow() {
	size := max(64, 2*len(r.table))
	if cap(r.table) >= size {
		r.table = r.table[:size]
		clear(r.table)
	} else {
		r.table = make([]int32, size)
	}
	mask := uint64(size - 1)
	for n := range r.sent {
		i := r.sent[n].hash & mask
		for r.table[i] != 0 {
			i = (i + 1) & mask
		}
		r.table[i] = int32(n + 1)
	}
}
