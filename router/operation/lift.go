package operation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// lifter writes the normal form: it makes Fields of nodes, once each, and variables of the literals in their
// arguments. Names of lifted variables are _0, _1 … without those that the client took.
type lifter struct {
	selected  *Selected
	variables []Variable
	next      int
	done      map[*selection][]*Field
}

func newLifter(s *Selected) *lifter {
	return &lifter{selected: s, variables: slices.Clip(s.Variables), done: map[*selection][]*Field{}}
}

func (l *lifter) operation(top *selection) *Operation {
	fields := l.fields(top)
	return &Operation{Kind: l.selected.Kind, Name: l.selected.Name, Variables: l.variables, Selections: fields}
}

func (l *lifter) fields(s *selection) []*Field {
	if s == nil {
		return nil
	}
	if out, ok := l.done[s]; ok {
		return out
	}
	out := make([]*Field, len(s.nodes))
	for i, d := range s.nodes {
		f := &Field{ResponseKey: d.field.Alias, Name: d.field.Name, Types: d.types, Denied: d.denied, Deferred: d.deferred}
		if !d.denied {
			f.Arguments = l.arguments(d.field)
			f.Selections = l.fields(d.below)
		}
		out[i] = f
	}
	l.done[s] = out
	return out
}

func sortedArguments(f *ast.Field) ast.ArgumentList {
	return slices.SortedFunc(slices.Values(f.Arguments), func(a, b *ast.Argument) int {
		return strings.Compare(a.Name, b.Name)
	})
}

func (l *lifter) arguments(f *ast.Field) []Argument {
	if len(f.Arguments) == 0 {
		return nil
	}
	out := make([]Argument, 0, len(f.Arguments))
	for _, a := range sortedArguments(f) {
		out = append(out, Argument{Name: a.Name, Value: l.value(a.Value, a.Value.ExpectedType)})
	}
	return out
}

// value lifts what it can. Inside a custom scalar only the whole value has a type that a variable could have,
// so what holds a variable there stays text.
func (l *lifter) value(v *ast.Value, typ *ast.Type) Value {
	if v.Kind == ast.Variable {
		return Value{Kind: ValueVariable, Variable: l.selected.variables[v.Raw]}
	}
	if typ != nil {
		if literal, ok := l.selected.literal(v, typ); ok {
			return Value{Kind: ValueVariable, Variable: l.lift(literal, typ)}
		}
	}
	switch v.Kind {
	case ast.ListValue:
		out := Value{Kind: ValueList, List: make([]Value, len(v.Children))}
		for i, item := range v.Children {
			out.List[i] = l.value(item.Value, item.Value.ExpectedType)
		}
		return out
	case ast.ObjectValue:
		out := Value{Kind: ValueObject, Object: make([]Argument, len(v.Children))}
		for i, field := range v.Children {
			out.Object[i] = Argument{Name: field.Name, Value: l.value(field.Value, field.Value.ExpectedType)}
		}
		return out
	}
	return Value{Kind: ValueLiteral, Literal: v.String()}
}

func (l *lifter) lift(literal []byte, typ *ast.Type) int {
	var name string
	for taken := true; taken; {
		name = "_" + strconv.Itoa(l.next)
		_, taken = l.selected.variables[name]
		l.next++
	}
	l.variables = append(l.variables, Variable{Name: name, Type: typ.String(), Literal: literal})
	return len(l.variables) - 1
}
