package operation

import (
	"strconv"
	"strings"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// String prints the operation for people and tests: GraphQL, with the object types of a field before it where
// they are not those of its whole selection set.
func (o *Operation) String() string { return o.Format(nil) }

// Format is String with names for the object types; a nil supergraph gives their numbers.
func (o *Operation) Format(sg *supergraph.Supergraph) string {
	p := &printer{supergraph: sg, variables: o.Variables}
	p.WriteString([...]string{"query", "mutation", "subscription"}[o.Kind])
	if o.Name != "" {
		p.WriteString(" " + o.Name)
	}
	for i, v := range o.Variables {
		p.WriteString([...]string{"(", ", "}[min(i, 1)] + "$" + v.Name + ": " + v.Type)
		if v.Literal != nil {
			p.WriteString(" = " + string(v.Literal))
		}
	}
	if len(o.Variables) > 0 {
		p.WriteString(")")
	}
	p.WriteString(" ")
	p.selections(o.Selections, nil, 0)
	p.WriteString("\n")
	return p.Builder.String()
}

type printer struct {
	strings.Builder
	supergraph *supergraph.Supergraph
	variables  []Variable
}

// selections prints fields; possible are the types of their parent, nil if not known.
func (p *printer) selections(fields []*Field, possible supergraph.TypeSet, depth int) {
	p.WriteString("{\n")
	if possible == nil {
		for _, f := range fields {
			possible = possible.Union(f.Types)
		}
	}
	for _, f := range fields {
		p.WriteString(strings.Repeat("  ", depth+1))
		if !f.Types.Equal(possible) {
			p.types(f.Types)
		}
		p.field(f, depth+1)
		p.WriteString("\n")
	}
	p.WriteString(strings.Repeat("  ", depth) + "}")
}

func (p *printer) field(f *Field, depth int) {
	if f.ResponseKey != f.Name {
		p.WriteString(f.ResponseKey + ": ")
	}
	p.WriteString(f.Name)
	for i, a := range f.Arguments {
		p.WriteString([...]string{"(", ", "}[min(i, 1)])
		p.argument(a)
	}
	if len(f.Arguments) > 0 {
		p.WriteString(")")
	}
	for _, by := range f.Deferred {
		p.WriteString(" @defer(" + strconv.Itoa(by.Number))
		if by.Label != "" {
			p.WriteString(" " + strconv.Quote(by.Label))
		}
		p.WriteString(strings.Repeat("^", by.Up) + ")")
	}
	if f.Denied {
		p.WriteString(" # denied")
	}
	if len(f.Selections) > 0 {
		p.WriteString(" ")
		p.selections(f.Selections, p.results(f), depth)
	}
}

// results are the possible types of a field's value.
func (p *printer) results(f *Field) supergraph.TypeSet {
	var all supergraph.TypeSet
	for id := range f.Types.All() {
		if p.supergraph == nil {
			break
		}
		if def := p.supergraph.API.Types[p.supergraph.Objects[id]].Fields.ForName(f.Name); def != nil {
			all = all.Union(p.supergraph.Possible(def.Type.Name()))
		}
	}
	return all
}

func (p *printer) types(types supergraph.TypeSet) {
	var names []string
	for id := range types.All() {
		if p.supergraph == nil {
			names = append(names, "#"+strconv.Itoa(int(id)))
		} else {
			names = append(names, p.supergraph.Objects[id])
		}
	}
	p.WriteString("<" + strings.Join(names, " ") + "> ")
}

func (p *printer) argument(a Argument) {
	p.WriteString(a.Name + ": ")
	p.value(a.Value)
}

func (p *printer) value(v Value) {
	switch v.Kind {
	case ValueVariable:
		p.WriteString("$" + p.variables[v.Variable].Name)
	case ValueLiteral:
		p.WriteString(v.Literal)
	case ValueList:
		p.WriteString("[")
		for i, item := range v.List {
			if i > 0 {
				p.WriteString(", ")
			}
			p.value(item)
		}
		p.WriteString("]")
	case ValueObject:
		p.WriteString("{")
		for i, field := range v.Object {
			if i > 0 {
				p.WriteString(", ")
			}
			p.argument(field)
		}
		p.WriteString("}")
	}
}
