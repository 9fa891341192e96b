package schema

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Operations are the three operations, in the order in which a schema definition lists them.
var Operations = []ast.Operation{ast.Query, ast.Mutation, ast.Subscription}

// Order says in which order Print writes definitions.
type Order int

// The orders.
const (
	// ByName sorts by CompareNames: a supergraph's order.
	ByName Order = iota
	// AsAdded keeps the order of appearance: an API schema's order.
	AsAdded
)

// Print writes the schema as SDL, in the layout of the reference. It ends in one newline.
func Print(s *Schema, order Order) string {
	p := &printer{}
	types, directives := s.Types, s.Directives
	if order == ByName {
		types, directives = s.sortedTypes(), s.sortedDirectives()
	}
	p.schema(s)
	for _, d := range directives {
		if !d.BuiltIn {
			p.separate()
			p.directiveDefinition(d)
		}
	}
	for _, t := range types {
		if !t.BuiltIn {
			p.separate()
			p.typ(t)
		}
	}
	p.b.WriteByte('\n')
	return p.b.String()
}

type printer struct {
	b       strings.Builder
	started bool
}

func (p *printer) separate() {
	if p.started {
		p.b.WriteString("\n\n")
	}
	p.started = true
}

func (p *printer) write(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

// schema is left out where it says nothing: default names and no directives.
func (p *printer) schema(s *Schema) {
	usual := len(s.Root.Applied) == 0 && s.Root.Description == ""
	for _, op := range Operations {
		if name := s.Roots[op]; name != "" && name != DefaultRoot(op) {
			usual = false
		}
	}
	if usual {
		return
	}
	p.separate()
	p.description(s.Root.Description, "")
	p.write("schema")
	p.open(p.stacked(s.Root.Applied))
	for _, op := range Operations {
		if name := s.Roots[op]; name != "" {
			p.write("  ", string(op), ": ", name, "\n")
		}
	}
	p.write("}")
}

// DefaultRoot is the name that GraphQL gives the root type of op: Query, Mutation or Subscription.
func DefaultRoot(op ast.Operation) string {
	return strings.ToUpper(string(op[:1])) + string(op[1:])
}

func (p *printer) directiveDefinition(d *DirectiveDefinition) {
	p.description(d.Description, "")
	p.write("directive @", d.Name)
	p.arguments(d.Arguments, "")
	if d.Repeatable {
		p.write(" repeatable")
	}
	p.write(" on ")
	for i, l := range d.Locations {
		if i > 0 {
			p.write(" | ")
		}
		p.write(string(l))
	}
}

func (p *printer) typ(t *Type) {
	p.description(t.Description, "")
	p.write(keyword(t.Kind), " ", t.Name)
	for i, ref := range t.Interfaces {
		if i == 0 {
			p.write(" implements ")
		} else {
			p.write(" & ")
		}
		p.write(ref.Name)
	}
	stacked := p.stacked(t.Applied)
	switch {
	case t.Kind == ast.Scalar:
	case t.Kind == ast.Union:
		if stacked {
			p.write("\n")
		}
		p.union(t)
	default:
		p.block(t, stacked)
	}
}

// open writes the brace of a block: on a line of its own below stacked directives.
func (p *printer) open(stacked bool) {
	if stacked {
		p.write("\n{\n")
	} else {
		p.write(" {\n")
	}
}

func (p *printer) union(t *Type) {
	for i, m := range t.Members {
		if i == 0 {
			p.write(" = ")
		} else {
			p.write(" | ")
		}
		p.write(m.Name)
	}
}

func (p *printer) block(t *Type, stacked bool) {
	if len(t.Fields)+len(t.Values) == 0 {
		return
	}
	p.open(stacked)
	for i, f := range t.Fields {
		p.lead(f.Description, i)
		p.write("  ", f.Name)
		p.arguments(f.Arguments, "  ")
		p.write(": ", f.Type.String())
		p.defaultValue(f.Default)
		p.inline(f.Applied)
		p.write("\n")
	}
	for i, v := range t.Values {
		p.lead(v.Description, i)
		p.write("  ", v.Name)
		p.inline(v.Applied)
		p.write("\n")
	}
	p.write("}")
}

// lead writes a member's description, set off from the member before.
func (p *printer) lead(description string, i int) {
	if description != "" && i > 0 {
		p.write("\n")
	}
	p.description(description, "  ")
}

func (p *printer) arguments(args []*Argument, indent string) {
	if len(args) == 0 {
		return
	}
	described := false
	for _, a := range args {
		described = described || a.Description != ""
	}
	p.write("(")
	for i, a := range args {
		switch {
		case described && i > 0 && a.Description != "":
			p.write("\n\n")
		case described:
			p.write("\n")
		case i > 0:
			p.write(", ")
		}
		if described {
			p.description(a.Description, indent+"  ")
			p.write(indent, "  ")
		}
		p.write(a.Name, ": ", a.Type.String())
		p.defaultValue(a.Default)
		p.inline(a.Applied)
	}
	if described {
		p.write("\n", indent)
	}
	p.write(")")
}

func (p *printer) defaultValue(v *ast.Value) {
	if v != nil {
		p.write(" = ", FormatValue(v))
	}
}

// stacked writes directives a line each and tells whether there were any.
func (p *printer) stacked(applied []*Directive) bool {
	if len(applied) == 0 {
		return false
	}
	for _, d := range applied {
		p.write("\n  ", d.String())
	}
	return true
}

func (p *printer) inline(applied []*Directive) {
	for _, d := range applied {
		p.write(" ", d.String())
	}
}

// String writes the application as SDL.
func (d *Directive) String() string {
	var b strings.Builder
	b.WriteString("@" + d.Name)
	for i, a := range d.Arguments {
		if i == 0 {
			b.WriteByte('(')
		} else {
			b.WriteString(", ")
		}
		b.WriteString(a.Name + ": " + FormatValue(a.Value))
	}
	if len(d.Arguments) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// description writes a block string, on one line where it is short.
func (p *printer) description(text, indent string) {
	if text == "" {
		return
	}
	p.write(BlockString(text, indent), "\n")
}

// BlockString writes text as a block string at the indentation.
func BlockString(text, indent string) string {
	escaped := strings.ReplaceAll(text, `"""`, `\"""`)
	lines := strings.Split(escaped, "\n")
	single := len(lines) == 1
	leading := single && (text[0] == ' ' || text[0] == '\t')
	last := escaped[len(escaped)-1]
	multiline := !single || last == '"' || last == '\\' || len([]rune(text)) > 70
	var b strings.Builder
	b.WriteString(indent + `"""`)
	if multiline && !leading {
		b.WriteString("\n" + indent)
	}
	b.WriteString(strings.ReplaceAll(escaped, "\n", "\n"+indent))
	if multiline {
		b.WriteString("\n" + indent)
	}
	b.WriteString(`"""`)
	return b.String()
}

func keyword(k Kind) string {
	switch k {
	case ast.Object:
		return "type"
	case ast.InputObject:
		return "input"
	default:
		return strings.ToLower(string(k))
	}
}
