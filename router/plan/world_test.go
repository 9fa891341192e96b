package plan_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"sort"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// world holds data for a whole supergraph: every value follows from the identity of its object, the field and
// the arguments, so that a server of everything and any split into subgraphs agree about it. A field with
// requires follows from the values required, too.
type world struct {
	sg     *supergraph.Supergraph
	keys   map[string]bool // Type.field that is part of a key
	labels map[string]bool
	// caller is who asks.
	caller caller
	// schemas are those of the subgraphs.
	schemas []*ast.Schema
	// panicked is what a subgraph has panicked with.
	panicked any
	// loose leaves out what a field requires: its value is the same whatever is sent.
	loose bool
}

// thing is an object: an entity by number, or a value by the way to it.
type thing struct{ typ, id string }

const instances = 3

func newWorld(sg *supergraph.Supergraph, schemas []*ast.Schema, labels map[string]bool) *world {
	w := &world{sg: sg, keys: map[string]bool{}, labels: labels, schemas: schemas}
	var walk func(fields []*supergraph.FieldSelection)
	walk = func(fields []*supergraph.FieldSelection) {
		for _, f := range fields {
			for id := range f.Types.All() {
				w.keys[sg.Objects[id]+"."+f.Name] = true
			}
			walk(f.Fields)
		}
	}
	for _, t := range sg.Types {
		for _, p := range t.In {
			if p == nil {
				continue
			}
			for _, k := range p.Keys {
				walk(k.Fields.Fields)
			}
		}
	}
	return w
}

func (w *world) entity(t *supergraph.Type) bool {
	for _, o := range append([]*supergraph.Type{t}, t.Interfaces...) {
		for _, p := range o.In {
			if p != nil && len(p.Keys) > 0 {
				return true
			}
		}
	}
	return false
}

func hashOf(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>29
}

// value is nil, a JSON leaf, a thing or a list of values.
type value any

func (w *world) field(of thing, name, args, required string) value {
	f := w.sg.Type(of.typ).Field(name)
	path := of.id + "/" + name + args
	if w.entity(w.sg.Type(of.typ)) {
		path = of.typ + ":" + path
	}
	return w.make(f, w.strict(f), of, path, hashOf(of.typ, of.id, name, args, required))
}

// strict is the field's type with every non-null that any subgraph promises.
func (w *world) strict(f *supergraph.Field) *ast.Type {
	out := clone(f.Type)
	note := func(t *ast.Type) {
		for o := out; o != nil && t != nil; o, t = o.Elem, t.Elem {
			o.NonNull = o.NonNull || t.NonNull
		}
	}
	for _, s := range f.In {
		if s != nil {
			note(s.Type)
		}
	}
	for _, i := range f.Parent.Interfaces {
		if g := i.Field(f.Name); g != nil {
			for _, s := range g.In {
				if s != nil {
					note(s.Type)
				}
			}
		}
	}
	return out
}

func clone(t *ast.Type) *ast.Type {
	if t == nil {
		return nil
	}
	c := *t
	c.Elem = clone(t.Elem)
	return &c
}

func (w *world) make(f *supergraph.Field, t *ast.Type, of thing, path string, h uint64) value {
	key := w.keys[of.typ+"."+f.Name]
	switch {
	case !t.NonNull && !key && h%9 == 0:
		return nil
	case t.Elem != nil:
		list := make([]value, h%3+h/3%2)
		if key && len(list) == 0 {
			list = make([]value, 1) // An empty list tells nobody apart.
		}
		for i := range list {
			at := fmt.Sprintf("%s[%d]", path, i)
			list[i] = w.make(f, t.Elem, of, at, hashOf(at, fmt.Sprint(h)))
		}
		return list
	case f.Base != nil:
		return w.object(f, of, path, h)
	}
	switch name := t.Name(); name {
	case "Int":
		if key {
			return json.Number(fmt.Sprint(h % 1e9))
		}
		return json.Number(fmt.Sprint(h % 1000))
	case "Float":
		return json.Number(fmt.Sprintf("%d.5", h%1000))
	case "Boolean":
		return h%2 == 0
	default:
		if values := w.enum(f, name); values != nil {
			return values[h%uint64(len(values))]
		}
		text := fmt.Sprintf("%s.%s.%s.%x", of.typ, of.id, f.Name, h%0xffff)
		if name != "String" && name != "ID" {
			return custom(text, h)
		}
		return text + oddities[h/31%uint64(len(oddities))]
	}
}

// oddities are ends of strings: most have none.
var oddities = []string{"", "", "", "", "", "", "é", "\"", "\\", "}],", "\n\u2028", "<b>", "\u0000", "🛒"}

// custom is a value of a custom scalar, which is any JSON.
func custom(text string, h uint64) value {
	switch h / 41 % 5 {
	case 0:
		return raw{map[string]any{"at": text, "in": []any{h % 7, nil, map[string]any{}}}}
	case 1:
		return raw{[]any{text, []any{}, true}}
	}
	return text
}

// raw is a value of a custom scalar that looks like an object or a list.
type raw struct{ any }

// MarshalJSON writes the value itself.
func (r raw) MarshalJSON() ([]byte, error) { return json.Marshal(r.any) }

// ill is the panic of a world that can't be: its subgraphs contradict each other.
type ill string

// sources are all ways to a field.
func sources(f *supergraph.Field) []*supergraph.Source {
	all := slices.Clone(f.In)
	for _, i := range f.Parent.Interfaces {
		if g := i.Field(f.Name); g != nil {
			all = append(all, g.In...)
		}
	}
	return slices.DeleteFunc(all, func(s *supergraph.Source) bool { return s == nil })
}

// enum are the values of an enum that all subgraphs with a field know; nil if the name is no enum's.
func (w *world) enum(f *supergraph.Field, name string) []string {
	if def := w.sg.API.Types[name]; def != nil && def.Kind != ast.Enum {
		return nil
	}
	var names []string
	started := false
	for _, s := range sources(f) {
		def := w.schemas[s.Subgraph].Types[name]
		if def == nil || def.Kind != ast.Enum {
			continue
		}
		var own []string
		for _, v := range def.EnumValues {
			if !started || slices.Contains(names, v.Name) {
				own = append(own, v.Name)
			}
		}
		names, started = own, true
	}
	if started && len(names) == 0 {
		panic(ill("no value can stand in " + f.Parent.Name + "." + f.Name))
	}
	sort.Strings(names)
	return names
}

// object picks the object in a field: of a type that all subgraphs can mean there.
func (w *world) object(f *supergraph.Field, of thing, path string, h uint64) value {
	possible := f.Base.Possible
	for _, s := range sources(f) {
		if p := s.Base.In[s.Subgraph]; p != nil && !p.InterfaceObject {
			possible = possible.Intersect(p.Possible)
		}
	}
	if possible.Empty() {
		panic(ill("no object can stand in " + f.Parent.Name + "." + f.Name))
	}
	var ids []supergraph.ObjectID
	for id := range possible.All() {
		ids = append(ids, id)
	}
	t := w.sg.ObjectType(ids[h/7%uint64(len(ids))])
	switch {
	case t == w.sg.Query:
		return thing{t.Name, t.Name} // There is one query object, wherever it is met.
	case w.entity(t) && w.keys[of.typ+"."+f.Name] && w.entity(w.sg.Type(of.typ)):
		return thing{t.Name, of.id} // As part of a key, it must tell its owners apart.
	case w.entity(t):
		return thing{t.Name, fmt.Sprint(h / 77 % instances)}
	}
	return thing{t.Name, path}
}

// set is the JSON of a field set on an object, with sorted names.
func (w *world) set(of thing, fields []*supergraph.FieldSelection) map[string]any {
	out := map[string]any{}
	for _, f := range fields {
		if f.Name != "__typename" && f.Types.Has(w.sg.Object(of.typ)) {
			out[f.Name] = w.plain(w.required(of, f.Name, w.constArguments(of, f)), f.Fields)
		}
	}
	return out
}

// required is the true value of a field, computed with the true values of what it requires.
func (w *world) required(of thing, name, args string) value {
	return w.field(of, name, args, w.requires(of, name))
}

// requires is the JSON of what a field requires, in the subgraph that computes it.
func (w *world) requires(of thing, name string) string {
	if w.loose {
		return ""
	}
	for _, s := range w.sg.Type(of.typ).Field(name).In {
		if s != nil && s.Requires != nil && !s.Overridden && (s.Label == "" || w.labels[s.Label] == s.LabelValue) {
			return text(w.set(of, s.Requires.Fields))
		}
	}
	return ""
}

func (w *world) plain(v value, fields []*supergraph.FieldSelection) any {
	switch v := v.(type) {
	case thing:
		return w.set(v, fields)
	case []value:
		list := make([]any, len(v))
		for i := range v {
			list[i] = w.plain(v[i], fields)
		}
		return list
	}
	return v
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// find returns the object that a representation means, by a key of the subgraph.
func (w *world) find(representation map[string]any, graph int) (thing, bool) {
	name, _ := representation["__typename"].(string)
	t := w.sg.Type(name)
	if t == nil || t.In[graph] == nil {
		return thing{}, false
	}
	for id := range t.Possible.All() {
		for i := range instances {
			of := thing{w.sg.Objects[id], fmt.Sprint(i)}
			if w.matches(of, t.In[graph].Keys, representation) {
				return of, true
			}
		}
	}
	return thing{}, false
}

func (w *world) matches(of thing, keys []*supergraph.Key, representation map[string]any) bool {
	for _, k := range keys {
		if k.Resolvable && text(w.set(of, k.Fields.Fields)) == text(restrict(representation, k.Fields.Fields)) {
			return true
		}
	}
	return false
}

// received is what a field's value follows from, as a subgraph was sent it.
func (w *world) received(sent map[string]any, fields []*supergraph.FieldSelection) string {
	if w.loose {
		return ""
	}
	return text(restrict(sent, fields))
}

// restrict leaves of a JSON object what a field set selects.
func restrict(v any, fields []*supergraph.FieldSelection) any {
	if len(fields) == 0 {
		return v // A leaf, maybe of a custom scalar.
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, f := range fields {
			if f.Name == "__typename" {
				continue
			}
			if of, ok := v["__typename"].(string); ok && f.Scope.Name != of && !f.Scope.Abstract() && f.Scope.In != nil && of != "" && !has(f, of) {
				continue
			}
			if inner, ok := v[f.Name]; ok {
				out[f.Name] = restrict(inner, f.Fields)
			}
		}
		return out
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = restrict(v[i], fields)
		}
		return list
	}
	return v
}

func has(f *supergraph.FieldSelection, typ string) bool { return f.Scope.Name == typ }
