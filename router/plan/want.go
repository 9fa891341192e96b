package plan

import (
	"strconv"
	"strings"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// wants is what is wanted of the objects at one position: a selection set of the operation, of a key or of a
// requires. Equal selections are one pointer, so that the solver can remember its solutions by it.
type wants struct {
	id   int
	list []want
	// typed says that the runtime type itself is wanted: for the client, or to tell apart what differs by it.
	typed bool
	// varies says that the runtime type is good to know, where it costs nothing: a field may be null for some
	// types only.
	varies bool
	// later is what is wanted of the same objects for other parts of the answer.
	later []later
}

// want is one field that is wanted, for some runtime types.
type want struct {
	name string
	// args tells fields of one name apart: arguments in order of name.
	args  string
	types supergraph.TypeSet
	sub   *wants
	// field is set for the operation's own fields, selection for those of field sets.
	field     *operation.Field
	selection *supergraph.FieldSelection
}

// wanted builds wants and knows those it has built.
type wanted struct {
	sg         *supergraph.Supergraph
	operations map[selected]*wants
	sets       map[int]*wants
	single     map[*want]*wants
	none       *wants
	count      int
	// inlined are fields that could be deferred, but are not: no request of their own can bring them.
	inlined map[*operation.Field]bool
}

// selected names a selection set by its first field, and the type on which it is selected: whether the runtime
// type matters depends on that.
type selected struct {
	first *operation.Field
	on    *supergraph.Type
	// in is the part of the answer.
	in string
}

func newWanted(sg *supergraph.Supergraph) *wanted {
	w := &wanted{sg: sg, operations: map[selected]*wants{}, sets: map[int]*wants{}, single: map[*want]*wants{}, inlined: map[*operation.Field]bool{}}
	w.none = w.new()
	return w
}

func (w *wanted) new() *wants {
	w.count++
	return &wants{id: w.count}
}

// ofFields is what a selection set of the operation wants of objects of a type. Fields that the router answers
// by itself are left out, and those that are delivered in another part than in is what later is for. The normal form
// shares equal selection sets: their first field names them.
func (w *wanted) ofFields(fields []*operation.Field, on *supergraph.Type, in deferredBy) *wants {
	if len(fields) == 0 {
		return w.none
	}
	key := selected{fields[0], on, in.key()}
	own, rest := w.split(fields, in)
	if known := w.operations[key]; known != nil && w.same(known, own) {
		return known
	}
	out := w.new()
	all := on.Possible
	for _, f := range own {
		if f.Name == "__typename" || !f.Types.Equal(all) {
			out.typed = true
		}
		if f.Denied && w.nullableForSome(f) {
			out.typed = true
		}
		if f.Name == "__typename" || f.Denied || introspective(f) {
			continue
		}
		t := w.fieldType(f)
		out.varies = out.varies || len(typings(w.sg, f.Name, f.Types)) > 1
		next := want{name: f.Name, args: argumentsText(f.Arguments), types: f.Types, field: f}
		if t != nil && t.Base != nil {
			next.sub = w.ofFields(f.Selections, t.Base, in.below())
		}
		out.list = append(out.list, next)
	}
	if w.sg.Contexts() {
		w.supply(out, own, on)
	}
	for _, l := range rest {
		out.later = append(out.later, later{l.in, w.ofFields(l.fields, on, l.in)})
	}
	w.operations[key] = out
	return out
}

// same reports whether wants were made of just these fields.
func (w *wanted) same(known *wants, fields []*operation.Field) bool {
	i := 0
	for i < len(known.list) && known.list[i].field == nil {
		i++ // What contexts need follows from the fields.
	}
	for _, f := range fields {
		if f.Name == "__typename" || f.Denied || introspective(f) {
			continue
		}
		if i == len(known.list) || known.list[i].field != f {
			return false
		}
		i++
	}
	return i == len(known.list)
}

// nullableForSome reports whether it depends on the runtime type if null for a field makes the whole object null.
func (w *wanted) nullableForSome(f *operation.Field) bool {
	nullable, nonNull := false, false
	for id := range f.Types.All() {
		outer := w.sg.ObjectType(id).Field(f.Name).Type.NonNull
		nullable, nonNull = nullable || !outer, nonNull || outer
	}
	return nullable && nonNull
}

func introspective(f *operation.Field) bool { return f.Name == "__schema" || f.Name == "__type" }

// fieldType is the definition of a field on the first of the types that it is selected for.
func (w *wanted) fieldType(f *operation.Field) *supergraph.Field {
	return definition(w.sg, f.Name, f.Types)
}

func definition(sg *supergraph.Supergraph, name string, types supergraph.TypeSet) *supergraph.Field {
	for id := range types.All() {
		return sg.ObjectType(id).Field(name)
	}
	return nil
}

// alone is one want out of a selection.
func (w *wanted) alone(one *want) *wants {
	known := w.single[one]
	if known == nil {
		known = w.new()
		known.list = []want{*one}
		w.single[one] = known
	}
	return known
}

// ofSet is what a field set wants.
func (w *wanted) ofSet(set *supergraph.FieldSet) *wants {
	key := -1 - set.ID
	if known := w.sets[key]; known != nil {
		return known
	}
	out := w.ofSelections(set.Fields)
	w.sets[key] = out
	return out
}

func (w *wanted) ofSelections(fields []*supergraph.FieldSelection) *wants {
	out := w.new()
	for _, f := range fields {
		if f.Name == "__typename" {
			out.typed = true
			continue
		}
		if f.Scope.Abstract() && !f.Types.Equal(f.Scope.Possible) {
			out.typed = true
		}
		next := want{name: f.Name, args: f.Arguments, types: f.Types, selection: f}
		if f.Base != nil {
			next.sub = w.ofSelections(f.Fields)
			// Objects of an abstract type are sent with their runtime type.
			next.sub.typed = next.sub.typed || f.Base.Abstract()
		}
		out.list = append(out.list, next)
	}
	return out
}

// argumentsText identifies the arguments of a field of the operation.
func argumentsText(args []operation.Argument) string {
	if len(args) == 0 {
		return ""
	}
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(a.Name)
		b.WriteByte(':')
		writeValue(&b, a.Value, func(i int) string { return "$" + strconv.Itoa(i) })
	}
	return b.String()
}

// writeValue writes an argument's value; name gives the text of a variable.
func writeValue(b *strings.Builder, v operation.Value, name func(int) string) {
	switch v.Kind {
	case operation.ValueVariable:
		b.WriteString(name(v.Variable))
	case operation.ValueLiteral:
		b.WriteString(v.Literal)
	case operation.ValueList:
		b.WriteByte('[')
		for i, item := range v.List {
			if i > 0 {
				b.WriteByte(',')
			}
			writeValue(b, item, name)
		}
		b.WriteByte(']')
	case operation.ValueObject:
		b.WriteByte('{')
		for i, f := range v.Object {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(f.Name)
			b.WriteByte(':')
			writeValue(b, f.Value, name)
		}
		b.WriteByte('}')
	}
}
