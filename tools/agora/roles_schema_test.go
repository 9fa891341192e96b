package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// introspected is the supergraph's schema as clients see it.
type introspected struct {
	types map[string]typ
}

type typ struct {
	Name, Kind  string
	Fields      []field
	InputFields []field
	EnumValues  []field
}

type field struct {
	Name         string
	Args         []field
	Type         typeRef
	DefaultValue *string
}

type typeRef struct {
	Kind, Name string
	OfType     *typeRef
}

// introspect reads the schema.
func introspect(c client) introspected {
	c.Helper()
	const ref = `type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`
	data := c.do(`{ __schema { types { name kind fields { name args { name defaultValue `+ref+` } `+ref+` } inputFields { name defaultValue `+ref+` } enumValues { name } } } }`, nil)
	s := introspected{types: map[string]typ{}}
	for _, raw := range at(data, "__schema.types").([]any) {
		var t typ
		encoded, err := json.Marshal(raw)
		if err == nil {
			err = json.Unmarshal(encoded, &t)
		}
		if err != nil {
			c.Fatal(err)
		}
		s.types[t.Name] = t
	}
	return s
}

// named is the type under lists and non-nulls.
func (r typeRef) named() (name, kind string) {
	for r.OfType != nil {
		r = *r.OfType
	}
	return r.Name, r.Kind
}

func (r typeRef) list() bool {
	return r.Kind == "LIST" || (r.Kind == "NON_NULL" && r.OfType.Kind == "LIST")
}

// fieldsOf are the fields of an object, by name.
func (s introspected) fieldsOf(name string) []field {
	fields := slices.Clone(s.types[name].Fields)
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// ending are the mutations that end a session or an account: they come last.
var ending = []string{"passwordChange", "passwordReset", "userRolesSet", "accountDelete", "accountDeletionCancel", "sessionRevoke", "logout"}

// mutations are all of them, by name, those last that end a session.
func (s introspected) mutations() []field {
	fields := s.fieldsOf("Mutation")
	slices.SortStableFunc(fields, func(a, b field) int { return slices.Index(ending, a.Name) - slices.Index(ending, b.Name) })
	return fields
}

// entry is a place of the graph, and the type of what is there.
type entry struct {
	name, typ string
	// path are the fields that lead there, with arguments; keys are where it is in the answer.
	path, keys []string
}

// skips leaves out what another entry asks: the fields of Query lead to those.
func (e entry) skips(f field) bool { return len(e.path) > 0 && f.Name == "__typename" }

// entries are the root, and each type of object where it is reached first: by an id, so that it is somebody else's to
// most, and beside that all that one has by "me".
func (m *matrix) entries() []entry {
	root := entry{name: "Query", typ: "Query"}
	all := m.walk(root, []entry{root}, map[string]bool{"Query": true, "Mutation": true}, func(f field) bool { return f.Name != "me" && f.Name != "node" && f.Name != "nodes" })
	me := entry{name: "me", typ: "User", path: []string{"me"}, keys: []string{"me"}}
	return append(all, m.walk(me, []entry{me}, map[string]bool{"Query": true, "User": true}, func(field) bool { return true })...)
}

// walk goes through the graph from an entry, nearest places first.
func (m *matrix) walk(from entry, all []entry, seen map[string]bool, follows func(field) bool) []entry {
	for i := len(all) - 1; i < len(all); i++ {
		e := all[i]
		for _, f := range m.schema.fieldsOf(e.typ) {
			name, kind := f.Type.named()
			if kind != "OBJECT" || seen[name] || (e.name == from.name && !follows(f)) {
				continue
			}
			seen[name] = true
			next := entry{name: name, typ: name, path: append(slices.Clone(e.path), m.call(f)), keys: append(slices.Clone(e.keys), f.Name)}
			if from.name != "Query" {
				next.name = from.name + "…" + name
			}
			if f.Type.list() {
				next.keys = append(next.keys, "0")
			}
			all = append(all, next)
		}
	}
	return all
}

// query is the operation for a field of an entry, and where its value is in the answer.
func (e entry) query(m *matrix, f field) (query, path string) {
	inner := m.call(f)
	switch name, kind := f.Type.named(); kind {
	case "OBJECT":
		inner += " { " + m.leaf(name) + " }"
	case "INTERFACE", "UNION":
		inner += " { __typename }"
	}
	for _, step := range slices.Backward(e.path) {
		inner = step + " { " + inner + " }"
	}
	return "{ " + inner + " }", strings.Join(append(slices.Clone(e.keys), f.Name), ".")
}

// leaf selects something harmless of an object.
func (m *matrix) leaf(name string) string {
	for _, f := range m.schema.types[name].Fields {
		if f.Name == "id" {
			return "id"
		}
	}
	return "__typename"
}

// payload selects what a mutation's answer says of refusals.
func (m *matrix) payload(f field) string {
	name, _ := f.Type.named()
	for _, member := range m.schema.types[name].Fields {
		if member.Name == "userErrors" {
			return "userErrors { code message }"
		}
	}
	return "__typename"
}

// call is a field with all the arguments that it must have, and those of the fixture.
func (m *matrix) call(f field) string {
	var arguments []string
	for _, a := range f.Args {
		_, given := m.fixture[a.Name]
		if a.Type.Kind == "NON_NULL" && a.DefaultValue == nil || given && a.Name != "number" && a.Name != "currency" || a.Name == "id" || (a.Name == "first" && f.Name != "auditLog") {
			if f.Name == "product" && a.Name == "slug" {
				continue // it is asked for by its id
			}
			arguments = append(arguments, a.Name+": "+m.value(f.Name, a, 0))
		}
	}
	if len(arguments) == 0 {
		return f.Name
	}
	return f.Name + "(" + strings.Join(arguments, ", ") + ")"
}

// things are what fields whose id is asked for are about, where their name begins otherwise.
var things = map[string]string{"node": "order", "nodes": "order", "priceList": "none", "webhook": "none", "location": "none", "session": "session"}

// value is a GraphQL literal for an argument or a member of an input.
func (m *matrix) value(of string, a field, depth int) string {
	name, kind := a.Type.named()
	one := ""
	switch {
	case a.Name == "id" || a.Name == "ids":
		one = fmt.Sprintf("%q", fmt.Sprint(m.thing(of)))
	case a.Name == "slug" && of == "category":
		one = fmt.Sprintf("%q", m.fixture["category"])
	case m.fixture[a.Name] != nil && kind == "SCALAR":
		one = fmt.Sprintf("%q", fmt.Sprint(m.fixture[a.Name]))
	case kind == "ENUM":
		one = m.schema.types[name].EnumValues[0].Name
	case kind == "INPUT_OBJECT":
		var members []string
		for _, member := range m.schema.types[name].InputFields {
			if member.Type.Kind == "NON_NULL" && member.DefaultValue == nil && depth < 5 {
				members = append(members, member.Name+": "+m.value(of, member, depth+1))
			}
		}
		one = "{" + strings.Join(members, ", ") + "}"
	default:
		one = map[string]string{"Int": "1", "Int64": "1", "Float": "1", "Boolean": "false", "DateTime": `"2026-01-01T00:00:00Z"`}[name]
		if one == "" {
			one = `"nobody@agora.example"`
		}
	}
	if a.Type.list() {
		return "[" + one + "]"
	}
	return one
}

// thing is the owner's thing that a field with an id is about.
func (m *matrix) thing(of string) any {
	for prefix, thing := range things {
		if strings.HasPrefix(of, prefix) {
			return m.orNone(thing)
		}
	}
	for _, thing := range []string{"order", "user", "cart", "payment", "address", "product", "category"} {
		if strings.HasPrefix(of, thing) {
			return m.orNone(thing)
		}
	}
	return "none"
}

func (m *matrix) orNone(thing string) any {
	if v := m.fixture[thing]; v != nil {
		return v
	}
	return "none"
}
