package execute

import (
	"encoding/binary"
	"slices"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// writer writes the response's data, in one walk over the plan's Output. Where a value turns out to be null
// that must not be, what has been written of its parents is cut off again.
type writer struct {
	state *state
	arena *arena
	b     []byte
	limit int
	// path is the way to the value being written: the index in Output.Fields, and below a list field the indexes
	// of the items. Response keys are only looked up for an error.
	path []int32
	// out is what is being written, and prefix the path to it.
	out    *plan.Output
	prefix []segment
	// objects are those written, if deferring: others belong to them.
	objects   []int
	deferring bool
	// overflow says that the response would be larger than the limit.
	overflow bool
	// written is nil if no object has several places.
	written *written
}

// object writes the object at base, or returns false if it has to be null because of a value in it.
func (w *writer) object(out *plan.Output, base int) bool {
	id := w.arena.typeOf(base)
	b, start, depth := w.b, len(w.b), len(w.path)
	w.path = append(w.path, 0)
	for i := 0; i < len(out.Fields); i++ {
		f := &out.Fields[i]
		if f.Run > 0 {
			if v := w.arena.words[base+f.RunSlot]; v != absent {
				answer, offset, length := w.arena.place(v)
				b = append(append(b, ','), answer[offset:offset+length]...)
				i += f.Run - 1
				continue
			}
		}
		if f.Types != nil && !applies(out, f, id) {
			continue
		}
		if v := w.arena.words[base+f.Slot]; ready[f.Leaf]>>(v>>kindShift)&1 != 0 && f.Slot != plan.TypeSlot && len(f.NonNull) == 1 && !f.Denied {
			// Most values are leaves outside lists that need no change: the short way.
			answer, offset, length := w.arena.place(v)
			b = appendField(b, f.Encoded, answer, offset, length)
			continue
		}
		w.path[depth] = int32(i)
		w.b = append(b, f.Encoded...)
		if !w.field(f, base, id) {
			w.path = w.path[:depth]
			return false
		}
		b = w.b
	}
	w.path = w.path[:depth]
	if len(b) == start {
		b = append(b, '{')
	}
	// In the place of the first field's comma.
	b[start] = '{'
	w.b = append(b, '}')
	w.overflow = w.overflow || len(w.b) > w.limit
	return !w.overflow
}

// appendField appends a key, with the comma before it, and a value: a range of an answer. Most are short, and the time goes
// into finding out how short; so as many bytes as can be are copied, of which those behind the value are overwritten.
func appendField(b, key, answer []byte, offset, length int) []byte {
	n := len(b)
	if need := len(key) + length + 2*plan.EncodedRoom; cap(b)-n < need {
		b = slices.Grow(b, need)
	}
	b = b[:cap(b)]
	if len(key) <= plan.EncodedRoom {
		move(b[n:], key[:plan.EncodedRoom])
	} else {
		copy(b[n:], key)
	}
	n += len(key)
	if length <= plan.EncodedRoom && offset+plan.EncodedRoom <= len(answer) {
		move(b[n:], answer[offset:])
	} else {
		copy(b[n:], answer[offset:offset+length])
	}
	return b[:n+length]
}

// move copies 16 bytes.
func move(to, from []byte) {
	x, y := binary.LittleEndian.Uint64(from), binary.LittleEndian.Uint64(from[8:])
	binary.LittleEndian.PutUint64(to, x)
	binary.LittleEndian.PutUint64(to[8:], y)
}

// applies reports whether an object of the given type has a field. One whose type can't be known, since it
// comes from an interface object, has the fields that all types of the position have.
func applies(out *plan.Output, f *plan.OutputField, id supergraph.ObjectID) bool {
	if id == supergraph.NoObject {
		return out.Types != nil && out.Types.SubsetOf(f.Types)
	}
	return f.Types.Has(id)
}

// field writes the value of a field. Like all methods below, it returns false if null must spread to the
// parent.
func (w *writer) field(f *plan.OutputField, base int, id supergraph.ObjectID) bool {
	switch {
	case f.Denied:
		w.report("Unauthorized field or type", "UNAUTHORIZED_FIELD_OR_TYPE", nil)
		return w.null(f, 0)
	case f.Slot != plan.TypeSlot:
		return w.value(f, 0, w.arena.words[base+f.Slot])
	case id == supergraph.NoObject:
		return w.nothing(f, 0, absent)
	}
	w.b = append(append(append(w.b, '"'), w.state.sg.Objects[id]...), '"')
	return true
}

// value writes a value at a level of lists: 0 is the field's own, len(f.NonNull)-1 the innermost.
func (w *writer) value(f *plan.OutputField, level int, v word) bool {
	innermost := level == len(f.NonNull)-1
	switch v.kind() {
	case leaf, text, integer, number, truth, far:
		if f.Leaf == plan.Composite {
			return w.unfit(f, level, v)
		}
		return w.leaf(f, level, w.arena.raw(v), v)
	case object:
		if !innermost || f.Output == nil {
			return w.unfit(f, level, v)
		}
		return w.composite(f, level, v.base())
	case list:
		if innermost || f.Output == nil {
			return w.unfit(f, level, v)
		}
		return w.list(f, level, v)
	}
	return w.nothing(f, level, v)
}

func (w *writer) composite(f *plan.OutputField, level, base int) bool {
	out := f.Output
	id := w.arena.typeOf(base)
	if id == supergraph.NoObject && out.Known {
		return w.nothing(f, level, w.unnamed(out, base))
	}
	if id != supergraph.NoObject && out.Types != nil && !out.Types.Has(id) {
		return w.nothing(f, level, null)
	}
	if w.written != nil {
		return w.once(f, level, base)
	}
	start, written := len(w.b), len(w.objects)
	if w.object(out, base) {
		if w.deferring {
			w.objects = append(w.objects, base)
		}
		return true
	}
	w.b, w.objects = w.b[:start], w.objects[:written]
	return w.null(f, level)
}

// unnamed is the null in the place of an object whose type nobody told. If a subgraph told a wrong one, that has not been
// reported: it would have been in a field of the object.
func (w *writer) unnamed(out *plan.Output, base int) word {
	for i := range out.Fields {
		if v := w.arena.words[base+out.Fields[i].Slot]; out.Fields[i].Slot != plan.TypeSlot && v.kind() == bad {
			return v
		}
	}
	return null
}

func (w *writer) list(f *plan.OutputField, level int, v word) bool {
	start, depth, written := len(w.b), len(w.path), len(w.objects)
	w.b = append(w.b, '[')
	w.path = append(w.path, 0)
	for i := range v.length() {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.path[depth] = int32(i)
		if !w.value(f, level+1, w.arena.words[v.base()+i]) {
			w.path, w.b, w.objects = w.path[:depth], w.b[:start], w.objects[:written]
			w.written = nil
			return w.null(f, level)
		}
	}
	w.path = w.path[:depth]
	w.b = append(w.b, ']')
	return true
}

// leaf writes a scalar or enum value, or a list of them, given as raw JSON that is part of v.
func (w *writer) leaf(f *plan.OutputField, level int, raw []byte, v word) bool {
	if level < len(f.NonNull)-1 {
		if raw[0] != '[' {
			return w.unfit(f, level, v)
		}
		return w.leaves(f, level, raw, v)
	}
	if len(w.b)+len(raw) > w.limit {
		w.overflow = true
		return false
	}
	b, ok := appendLeaf(w.b, f, raw)
	if !ok {
		return w.unfit(f, level, v)
	}
	w.b = b
	return true
}

func (w *writer) leaves(f *plan.OutputField, level int, raw []byte, v word) bool {
	start, depth := len(w.b), len(w.path)
	w.b = append(w.b, '[')
	w.path = append(w.path, 0)
	i := skipSpace(raw, 1)
	for more := raw[i] != ']'; more; w.path[depth]++ {
		end := scanValue(raw, i, len(raw))
		ok := false
		if item := raw[i:end]; item[0] == 'n' {
			ok = w.nothing(f, level+1, null)
		} else {
			ok = w.leaf(f, level+1, item, v)
		}
		if !ok {
			w.path, w.b = w.path[:depth], w.b[:start]
			return w.null(f, level)
		}
		if i, more = scanNext(raw, end, ']'); more {
			w.b = append(w.b, ',')
		}
	}
	w.path = w.path[:depth]
	w.b = append(w.b, ']')
	return true
}

// null writes null where an error has been recorded, or lets it spread.
func (w *writer) null(f *plan.OutputField, level int) bool {
	if f.NonNull[level] || w.overflow {
		return false
	}
	w.b = append(w.b, "null"...)
	return true
}

// nothing writes a value that is null in the tree, and records an error if that is one.
func (w *writer) nothing(f *plan.OutputField, level int, v word) bool {
	switch v.kind() {
	case bad:
		why, fetch := v.reason()
		w.report(why.message(f.Coordinate), "SUBREQUEST_MALFORMED_RESPONSE", &w.state.fetches[fetch])
	case explained:
	default:
		if f.NonNull[level] {
			w.report("Cannot return null for non-nullable field "+f.Coordinate+".", "", nil)
		}
	}
	return w.null(f, level)
}

// unfit deals with a value of another kind than the field's type promises.
func (w *writer) unfit(f *plan.OutputField, level int, v word) bool {
	message := "Field " + f.Coordinate + " can't represent the value that its subgraph answered."
	w.report(message, "SUBREQUEST_MALFORMED_RESPONSE", w.state.origin(v))
	return w.null(f, level)
}

// report records an error at the value being written.
func (w *writer) report(message, code string, f *fetchState) {
	s := w.state
	if s.errors.written >= s.cfg.MaxErrors {
		s.errors.dropped++
		return
	}
	s.errors.written++
	s.reportOutput(message, w.segments(), code, f)
}

// segments are the path to the value being written, in the client's terms.
func (w *writer) segments() []segment {
	path := slices.Clone(w.prefix)
	out := w.out
	for i := 0; i < len(w.path) && out != nil; {
		f := &out.Fields[w.path[i]]
		path = append(path, segment{key: f.Key})
		i++
		for level := 1; level < len(f.NonNull) && i < len(w.path); level++ {
			path = append(path, segment{index: int(w.path[i])})
			i++
		}
		out = f.Output
	}
	return path
}

func (r reason) message(coordinate string) string {
	switch r {
	case wrongType:
		return "The subgraph of field " + coordinate + " answered an object of another type than it was asked for."
	case unknownType:
		return "The subgraph of field " + coordinate + " answered an object of an unknown type."
	case unsendable:
		return "Field " + coordinate + " can't be asked: a key that it needs was answered in another form than its type has."
	}
	return "The subgraph of field " + coordinate + " answered no object where it was asked for one."
}
