package execute

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// reader reads one answer into the arena, led by the selection that the subgraph was asked for. Like the
// scanner's functions, its methods return the position behind what they read, or -1.
type reader struct {
	arena *arena
	sg    *supergraph.Supergraph
	b     []byte
	// answer is the number of b in the arena, fetch the ID of the fetch that it answers.
	answer, fetch int
	// near says that all leaves of b fit a word, number is the answer's as it stands there.
	near   bool
	number word
	// lastType is the type that was named last: lists repeat it.
	lastType supergraph.ObjectID
	// mistyped is set by an object whose __typename is impossible, for whoever reads the object; not by objects within it.
	mistyped reason
	// misaligned is set if lists that must be merged differ in length or kind.
	misaligned bool
	// misfit is set if an object was wrong of which clients see no field that could be the place of an error.
	misfit bool
	// full is set if the arena had no room.
	full  bool
	twins twins
}

// object reads the rest of an object, from behind its brace, into the slots from base on.
func (r *reader) object(sel *plan.Selection, base, i, depth int) int {
	if depth < 0 {
		return -1
	}
	if r.arena.words[base] == 0 {
		r.arena.words[base] = typeWord(sel.Type)
	}
	b := r.b
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for expected := 0; ; {
		if n, end := r.leaves(sel.Fields[expected:], base, i); n > 0 {
			expected, i = expected+n, end
		} else if expected, i = r.member(sel, expected, base, i, depth); i < 0 {
			return -1
		}
		if i+1 < len(b) && b[i] == ',' && b[i+1] == '"' {
			i++
			continue
		}
		more := false
		if i, more = scanNext(b, i, '}'); i < 0 || !more {
			return i
		}
	}
}

// leaves reads members of an object, from the first's quote on, as long as they are what nearly all are: the fields that
// are expected next, strings, numbers and booleans, without white space. It stops in front of anything else. It returns
// how many it has read, and the position behind the last one.
func (r *reader) leaves(fields []plan.SelectionField, base, i int) (n, end int) {
	if !r.near {
		return 0, i
	}
	b, words := r.b, r.arena.words[base:]
	// run is where the run began that is being read, and missing how many of its fields are to come, if all have been
	// of the right kind so far.
	run, missing := 0, 0
	for n < len(fields) {
		f := &fields[n]
		size := len(f.Key) + 3
		at := i + size
		if f.Selection != nil || f.Slot == plan.TypeSlot || at+9 > len(b) || binary.LittleEndian.Uint64(b[i:])&f.Quoted.Mask != f.Quoted.Head {
			break
		}
		if size > 8 && (binary.LittleEndian.Uint64(b[at-8:]) != f.Quoted.Tail || size > 16 && string(b[i+8:at-8]) != f.Key[7:size-9]) {
			break
		}
		var kind word
		if kind, end = scanShort(b, at); end < 0 {
			break
		}
		words[f.Slot] = kind | r.number | word(at)<<lengthBits | word(end-at)
		if f.Run > 0 {
			run, missing = i, f.Run
			words[f.RunSlot] = absent
		}
		if missing > 0 {
			if missing--; ready[f.Leaf]>>(kind>>kindShift)&1 == 0 {
				missing = 0
			} else if missing == 0 {
				words[f.RunSlot] = leaf | r.number | word(run)<<lengthBits | word(end-run)
			}
		}
		n++
		if end+1 >= len(b) || b[end] != ',' {
			return n, end
		}
		i = end + 1
	}
	return n, i - 1
}

// member reads any member of an object, from its quote on.
func (r *reader) member(sel *plan.Selection, expected, base, i, depth int) (next, end int) {
	b, f, at := r.b, expected, -1
	if f < len(sel.Fields) {
		at = keyAt(b, i, sel.Fields[f].Key)
	}
	if at < 0 {
		var start, stop int
		if start, stop, at = scanKey(b, i); stop < 0 {
			return expected, -1
		}
		if f = fieldOf(sel, b[start:stop]); f < 0 {
			return expected, scanValue(b, at, depth)
		}
	}
	return f + 1, r.field(sel, &sel.Fields[f], base, at, depth)
}

// keyAt returns the position of the value if the given key stands at i, without white space before its colon.
func keyAt(b []byte, i int, key string) int {
	end := i + 1 + len(key)
	if end+2 >= len(b) || b[i] != '"' || b[end] != '"' || b[end+1] != ':' || string(b[i+1:end]) != key {
		return -1
	}
	if b[end+2] <= ' ' {
		return skipSpace(b, end+2)
	}
	return end + 2
}

// fieldOf finds the field with the given key, or -1.
func fieldOf(sel *plan.Selection, key []byte) int {
	if bytes.IndexByte(key, '\\') >= 0 {
		key = unescaped(key)
	}
	for f := range sel.Fields {
		if sel.Fields[f].Key == string(key) {
			return f
		}
	}
	return -1
}

// unescaped is the text of a string that was scanned already, given without its quotes.
func unescaped(b []byte) []byte {
	quoted := make([]byte, 0, len(b)+2)
	quoted = append(append(append(quoted, '"'), b...), '"')
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return b
	}
	return []byte(s)
}

// field reads the value of one field of the object at base.
func (r *reader) field(sel *plan.Selection, f *plan.SelectionField, base, i, depth int) int {
	switch {
	case f.Slot == plan.TypeSlot:
		return r.typeName(sel, base, i, depth)
	case f.Selection == nil:
		r.arena.cut(f, base)
		return r.leaf(base+f.Slot, i, depth)
	}
	w, end := r.value(f.Selection, r.arena.words[base+f.Slot], i, depth)
	if end >= 0 {
		r.arena.words[base+f.Slot] = w
	}
	return end
}

// leaf reads a value as a range of raw JSON into the word at the given index.
func (r *reader) leaf(at, i, depth int) int {
	w, end := r.raw(i, depth)
	if end < 0 {
		return -1
	}
	// A null never wins over a value, nor over a null whose error is known.
	if have := &r.arena.words[at]; w != null || *have == absent {
		*have = w
	}
	return end
}

// raw reads a value as a range of raw JSON; lists and objects, too, as scalars may be any JSON.
func (r *reader) raw(i, depth int) (word, int) {
	kind, end := scanLeaf(r.b, i, depth)
	if kind == null || end < 0 {
		return null, end
	}
	return r.arena.newLeaf(kind, r.answer, i, end-i), end
}

// typeName reads a __typename into the object at base.
func (r *reader) typeName(sel *plan.Selection, base, i, depth int) int {
	if have := r.arena.words[base]; have != 0 {
		// Nearly always the name is the one that is known: of the selection, or from an earlier fetch.
		name := r.sg.Objects[have-1]
		if end := i + 2 + len(name); end <= len(r.b) && r.b[i] == '"' && r.b[end-1] == '"' && string(r.b[i+1:end-1]) == name {
			return end
		}
	}
	end := scanValue(r.b, i, depth)
	if end < 0 {
		return -1
	}
	id := supergraph.NoObject
	if r.b[i] == '"' {
		id = r.typeID(r.b[i+1 : end-1])
	}
	have := &r.arena.words[base]
	switch {
	case id == supergraph.NoObject:
		r.mistyped = unknownType
	case sel.Type != supergraph.NoObject && sel.Type != id, sel.Types != nil && !sel.Types.Has(id), *have != 0 && *have != typeWord(id):
		r.mistyped = wrongType
	default:
		*have = typeWord(id)
	}
	return end
}

func (r *reader) typeID(name []byte) supergraph.ObjectID {
	if r.lastType >= 0 && r.sg.Objects[r.lastType] == string(name) {
		return r.lastType
	}
	id := r.sg.ObjectOf(name)
	if id != supergraph.NoObject {
		r.lastType = id
	}
	return id
}

// value reads an object, or a list of any depth with objects within, where old stands so far. Objects and
// lists that are there already are merged into; the word that takes the place of old is returned.
func (r *reader) value(sel *plan.Selection, old word, i, depth int) (word, int) {
	if i >= len(r.b) {
		return old, -1
	}
	switch r.b[i] {
	case '{':
		return r.nested(sel, old, i+1, depth-1)
	case '[':
		if old.kind() == list {
			return old, r.mergeList(sel, old, i+1, depth-1)
		}
		w, end := r.list(sel, i+1, depth-1)
		if old.kind() == object {
			r.misaligned = true
			return old, end
		}
		return w, end
	}
	w, end := r.raw(i, depth)
	switch {
	case end < 0, w == null && old != absent:
		return old, end
	case !old.isNull():
		r.misaligned = true
		return old, end
	}
	// A scalar where an object was promised stays, and is reported when it is written.
	return w, end
}

// nested reads the rest of an object below another one.
func (r *reader) nested(sel *plan.Selection, old word, i, depth int) (word, int) {
	base, fresh := 0, old.kind() != object
	var entry *twin
	if fresh {
		if sel.Alone && old == absent {
			end := -1
			if base, end, entry = r.twins.find(r.b, sel, i); end >= 0 {
				r.arena.shared = true
				return objectWord(base), end
			}
		}
		if old.kind() == list {
			r.misaligned = true
			return old, scanObject(r.b, i, depth)
		}
		room := false
		if base, room = r.arena.newObject(sel.Shape, sel.Type); !room {
			r.full = true
			return old, -1
		}
		old = objectWord(base)
	} else {
		base = old.base()
	}
	outer := r.mistyped
	r.mistyped = 0
	end := r.object(sel, base, i, depth)
	why := r.mistyped
	r.mistyped = outer
	switch {
	case why != 0 && fresh:
		return badWord(why, r.fetch), end
	case why != 0:
		r.spoil(sel, base, why)
	case entry != nil && end >= 0:
		r.twins.put(entry, sel, i, end, base)
	}
	return old, end
}

// spoil takes back what was read into an object that is not what was asked for.
func (r *reader) spoil(sel *plan.Selection, base int, why reason) {
	if !r.arena.spoil(sel, base, badWord(why, r.fetch)) {
		r.misfit = true
	}
}

// list reads the rest of a new list, from behind its bracket. Where it fails, the whole answer does, and the
// stack is emptied before the next one.
func (r *reader) list(sel *plan.Selection, i, depth int) (word, int) {
	if depth < 0 {
		return absent, -1
	}
	a := r.arena
	bottom := len(a.stack)
	i = skipSpace(r.b, i)
	if i < len(r.b) && r.b[i] == ']' {
		// The base of an empty list says nothing, but mustn't look like that of a later answer's objects.
		return listWord(root, 0), i + 1
	}
	for more := true; more; {
		w, end := r.value(sel, absent, i, depth)
		if end < 0 {
			return absent, -1
		}
		a.stack = append(a.stack, w)
		if i, more = scanNext(r.b, end, ']'); i < 0 {
			return absent, -1
		}
	}
	items := a.stack[bottom:]
	base, room := a.alloc(len(items))
	if !room || len(items) > maxList {
		r.full = true
		return absent, -1
	}
	copy(a.words[base:], items)
	a.stack = a.stack[:bottom]
	return listWord(base, len(items)), i
}

// mergeList reads the rest of a list into one that exists, item by item.
func (r *reader) mergeList(sel *plan.Selection, old word, i, depth int) int {
	if depth < 0 {
		return -1
	}
	n := 0
	i = skipSpace(r.b, i)
	if i < len(r.b) && r.b[i] == ']' {
		i++
	} else {
		for more := true; more; n++ {
			end := -1
			if n < old.length() {
				var w word
				if w, end = r.value(sel, r.arena.words[old.base()+n], i, depth); end >= 0 {
					r.arena.words[old.base()+n] = w
				}
			} else {
				end = scanValue(r.b, i, depth)
			}
			if end < 0 {
				return -1
			}
			if i, more = scanNext(r.b, end, ']'); i < 0 {
				return -1
			}
		}
	}
	r.misaligned = r.misaligned || n != old.length()
	return i
}
