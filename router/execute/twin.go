package execute

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/agora-supergraph/agora/router/plan"
)

// Subgraphs repeat themselves: an answer names the same author below each of his posts. Where a plan says that objects
// of equal text are the same (plan.Selection.Alone), such an object is read once, and the words of all its places lead
// to it: what is below is neither scanned, nor walked to, nor written again. The tree becomes a graph without cycles;
// who walks it takes each object once (visited), and only paths for errors go all ways.

// twins finds objects of the answer that is being read by their text.
type twins struct {
	// table is open to anybody: the last object of a hash has the place.
	table []twin
	// answer tells this answer's entries from those of all earlier ones.
	answer uint32
	// odds says by shape how many objects had a twin and how many hadn't: where none has, none is looked for.
	odds []odds
}

type twin struct {
	answer     uint32
	shape      int32
	start, end int
	base       int
}

type odds struct{ hits, misses int32 }

const (
	twinBits = 8
	// twinPrefix is how much of a text is hashed: keys stand in front. Shorter texts are cheaper to read than to find.
	twinPrefix = 64
	// twinTrial is how many objects of a shape are looked for, before the odds count.
	twinTrial = 64
)

// begin is called before an answer is read.
func (t *twins) begin() {
	if t.answer++; t.answer == 0 {
		clear(t.table)
		t.answer = 1
	}
}

func (t *twins) reset() { t.odds = t.odds[:0] }

// find looks for an object like the one whose text begins at i, behind its brace. Without one, entry is where to put it
// once it has been read; nil if that is not worth it.
func (t *twins) find(b []byte, sel *plan.Selection, i int) (base, end int, entry *twin) {
	if i+twinPrefix > len(b) {
		return 0, -1, nil
	}
	shape := sel.Shape.ID
	for shape >= len(t.odds) {
		t.odds = append(t.odds, odds{})
	}
	o := &t.odds[shape]
	if o.misses > twinTrial && o.misses > 8*o.hits {
		return 0, -1, nil
	}
	if t.table == nil {
		t.table = make([]twin, 1<<twinBits)
	}
	entry = &t.table[twinHash(b[i:i+twinPrefix], uint64(shape))>>(64-twinBits)]
	if n := entry.end - entry.start; entry.answer == t.answer && entry.shape == int32(shape) && i+n <= len(b) && bytes.Equal(b[i:i+n], b[entry.start:entry.end]) {
		o.hits++
		return entry.base, i + n, nil
	}
	o.misses++
	return 0, -1, entry
}

// put makes an object that has been read known.
func (t *twins) put(entry *twin, sel *plan.Selection, start, end, base int) {
	*entry = twin{t.answer, int32(sel.Shape.ID), start, end, base}
}

// twinHash is the same in every process, so that equal requests are executed alike: an answer that is made to collide
// only is read as if it had no twins.
func twinHash(b []byte, shape uint64) uint64 {
	h := shape * 0x9e3779b97f4a7c15
	for ; len(b) >= 16; b = b[16:] {
		high, low := bits.Mul64(binary.LittleEndian.Uint64(b)^h^0xa0761d6478bd642f, binary.LittleEndian.Uint64(b[8:])^0xe7037ed1a0b428db)
		h = high ^ low
	}
	return h * 0x9e3779b97f4a7c15
}

// visited is a set of objects, by base.
type visited []uint64

// empty makes room for all objects of an arena.
func (v visited) empty(words int) visited {
	n := (words + 63) / 64
	if n > cap(v) {
		return make(visited, n, 2*n)
	}
	v = v[:n]
	clear(v)
	return v
}

// add reports whether an object is new to the set.
func (v visited) add(base int) bool {
	bit := uint64(1) << (base & 63)
	if v[base>>6]&bit != 0 {
		return false
	}
	v[base>>6] |= bit
	return true
}

// written remembers where the writer has put objects, by their bases: those with several places are copied from there.
type written []passage

// passage is a range of the response; object is its base+1, so that zero is none.
type passage struct{ object, start, end int }

const writtenBits = 9

// begin forgets all.
func (w *written) begin() *written {
	if *w == nil {
		*w = make(written, 1<<writtenBits)
	}
	clear(*w)
	return w
}

// once writes an object that may have been written before, at another place of the same position.
func (w *writer) once(f *plan.OutputField, level, base int) bool {
	p := &(*w.written)[uint64(base)*0x9e3779b97f4a7c15>>(64-writtenBits)]
	if p.object == base+1 {
		if len(w.b)+p.end-p.start > w.limit {
			w.overflow = true
			return false
		}
		w.b = append(w.b, w.b[p.start:p.end]...)
		return true
	}
	start, errors := len(w.b), w.state.errors.found()
	if !w.object(f.Output, base) {
		// What is cut off can't be copied any more, and what had an error must be written at each place.
		w.b, w.written = w.b[:start], nil
		return w.null(f, level)
	}
	if w.state.errors.found() == errors && w.written != nil {
		*p = passage{base + 1, start, len(w.b)}
	}
	return true
}
