package satisfiability

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// step is the last part of a path from a root: the operation, a field or a type condition.
type step struct {
	above     *step
	operation ast.Operation
	field     *schema.Field
	on        *schema.Type
}

// witness writes the query that a path stands for.
func (c *checker) witness(last *step) string {
	var steps []*step
	for s := last; s != nil; s = s.above {
		steps = append([]*step{s}, steps...)
	}
	var b strings.Builder
	if op := steps[0].operation; op != ast.Query {
		b.WriteString(string(op) + " ")
	}
	b.WriteString("{\n")
	for i, s := range steps[1:] {
		b.WriteString(strings.Repeat("  ", i+1))
		composite := true
		if s.on != nil {
			b.WriteString("... on " + s.on.Name)
		} else {
			b.WriteString(s.field.Name + c.sampleArguments(s.field))
			of := c.Type(s.field.Type.Name())
			composite = of != nil && of.IsComposite()
		}
		if !composite {
			b.WriteByte('\n')
			continue
		}
		b.WriteString(" {\n")
		if i == len(steps)-2 {
			b.WriteString(strings.Repeat("  ", i+2) + "...\n")
		}
	}
	for i := len(steps) - 2; i >= 0; i-- {
		s := steps[i+1]
		if i == len(steps)-2 && s.field != nil {
			if of := c.Type(s.field.Type.Name()); of == nil || !of.IsComposite() {
				continue
			}
		}
		b.WriteString(strings.Repeat("  ", i+1) + "}\n")
	}
	b.WriteString("}")
	return b.String()
}

// sampleArguments gives required arguments some value.
func (c *checker) sampleArguments(f *schema.Field) string {
	var parts []string
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.Default == nil {
			parts = append(parts, a.Name+": "+c.sample(a.Type, 0))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (c *checker) sample(t *ast.Type, depth int) string {
	if t.Elem != nil {
		return "[]"
	}
	switch t.NamedType {
	case "Int":
		return "0"
	case "Float":
		return "3.14"
	case "Boolean":
		return "true"
	case "String":
		return `"A string value"`
	case "ID":
		return `"<any id>"`
	}
	def := c.Type(t.NamedType)
	switch {
	case def != nil && def.Kind == ast.Enum && len(def.Values) > 0:
		return def.Values[0].Name
	case def != nil && def.Kind == ast.InputObject && depth < 10:
		var parts []string
		for _, f := range def.Fields {
			if f.Type.NonNull && f.Default == nil {
				parts = append(parts, f.Name+": "+c.sample(f.Type, depth+1))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return `"<some value>"`
}
