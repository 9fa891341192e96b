package execute

import (
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// word is one value of the merged response. The kind is in the upper four bits, below it
//
//	leaf    answer 12 bits, offset 26, length 22: a range of raw JSON in an answer. So are text (a string), integer
//	        (a number that is an Int), number (any other) and truth (true or false), which say what the range holds
//	far     index in arena.far, for ranges that don't fit a leaf
//	object  base: index in arena.words of the first slot
//	list    length 28 bits, base 32: its items are the words from base on
//	bad     reason 8 bits, fetch 32: an error that is reported if and where a client sees it
//
// The type slot of an object is no word of this kind: it holds ObjectID+1, or 0 while the type isn't known.
type word uint64

const (
	absent word = iota << kindShift
	null
	// explained is a null for which an error has been recorded already.
	explained
	bad
	leaf
	text
	integer
	number
	truth
	far
	object
	list
)

const (
	kindShift = 60
	kindMask  = word(15) << kindShift

	lengthBits = 22
	offsetBits = 26
	answerBits = 12

	listBaseBits = 32
	maxList      = 1<<28 - 1
)

func (w word) kind() word { return w & kindMask }

// isNull reports whether the value is null for whatever reason.
func (w word) isNull() bool { return w < leaf }

// isLeaf reports whether the value is a range of JSON.
func (w word) isLeaf() bool { return w >= leaf && w < object }

// base is the first slot of an object, or the first item of a list.
func (w word) base() int { return int(w & (1<<listBaseBits - 1)) }

// length is that of a list.
func (w word) length() int { return int(w >> listBaseBits & maxList) }

func objectWord(base int) word { return object | word(base) }

func listWord(base, length int) word { return list | word(length)<<listBaseBits | word(base) }

// arena holds the values of one request. It has no pointers but to the answers: there is nothing for the
// garbage collector to scan, and a reset is cutting a slice.
type arena struct {
	words []word
	// stack holds the items of lists whose ends aren't read yet.
	stack   []word
	answers [][]byte
	far     []farLeaf
	// limit bounds len(words).
	limit int
	// shared says that there are objects with several places (twin.go).
	shared bool
}

// farLeaf is a range of an answer too big for a word.
type farLeaf struct{ answer, offset, length int }

func (a *arena) reset() {
	a.words = trimmed(a.words, 1<<19)
	a.stack = trimmed(a.stack, 1<<16)
	a.far = trimmed(a.far, 1<<10)
	clear(a.answers)
	a.answers, a.shared = a.answers[:0], false
}

// trimmed empties a pooled slice, or drops it if one big request would make it stay big for ever.
func trimmed[T any](s []T, limit int) []T {
	if cap(s) > limit {
		return nil
	}
	return s[:0]
}

// newObject makes room for an object and returns its base, or false if the request holds too much.
func (a *arena) newObject(shape *plan.Shape, id supergraph.ObjectID) (int, bool) {
	n := len(shape.Slots)
	base, ok := a.alloc(n)
	if ok && n > 0 {
		a.words[base] = typeWord(id)
	}
	return base, ok
}

// alloc returns the index of the first of n zero words.
func (a *arena) alloc(n int) (int, bool) {
	base := len(a.words)
	if base+n > a.limit {
		return 0, false
	}
	if base+n <= cap(a.words) {
		a.words = a.words[:base+n]
		clear(a.words[base:])
		return base, true
	}
	grown := make([]word, base+n, max(2*cap(a.words), base+n, 1024))
	copy(grown, a.words)
	a.words = grown
	return base, true
}

// newLeaf is the word of a range of the answer with the given number.
func (a *arena) newLeaf(kind word, answer, offset, length int) word {
	if answer < 1<<answerBits && offset < 1<<offsetBits && length < 1<<lengthBits {
		return kind | word(answer)<<(offsetBits+lengthBits) | word(offset)<<lengthBits | word(length)
	}
	a.far = append(a.far, farLeaf{answer, offset, length})
	return far | word(len(a.far)-1)
}

// raw is the JSON of a leaf word of any kind.
func (a *arena) raw(w word) []byte {
	if w < far {
		offset := int(w >> lengthBits & (1<<offsetBits - 1))
		return a.answers[w>>(offsetBits+lengthBits)&(1<<answerBits-1)][offset : offset+int(w&(1<<lengthBits-1))]
	}
	f := a.far[w&^kindMask]
	return a.answers[f.answer][f.offset : f.offset+f.length]
}

// place is where the JSON of a leaf stands that is not far: a range of an answer.
func (a *arena) place(w word) (answer []byte, offset, length int) {
	return a.answers[w>>(offsetBits+lengthBits)&(1<<answerBits-1)], int(w >> lengthBits & (1<<offsetBits - 1)), int(w & (1<<lengthBits - 1))
}

// typeOf is the runtime type of the object at base.
func (a *arena) typeOf(base int) supergraph.ObjectID {
	return supergraph.ObjectID(a.words[base]) - 1
}

func typeWord(id supergraph.ObjectID) word { return word(id + 1) }

// reason says what is wrong with a bad value.
type reason uint8

const (
	wrongType reason = iota + 1
	unknownType
	notObject
	unsendable
)

func badWord(r reason, fetch int) word { return bad | word(r)<<32 | word(fetch) }

func (w word) reason() (r reason, fetch int) { return reason(w >> 32), int(w & (1<<32 - 1)) }
