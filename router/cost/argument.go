package cost

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation"
)

// argument is one that costs something.
type argument struct {
	*input
	value operation.Value
}

// input prices a value that a client gives.
type input struct {
	// weight is that of any value but null; of a list, of each item.
	weight float64
	// fields are those of an input object that cost something; nil for other types.
	fields map[string]*input
}

// priceInputs finds what input types' fields cost. Types may contain each other: each has one table, which others share.
func (p *Pricer) priceInputs() {
	priced := false
	tables := map[string]map[string]*input{}
	for name, def := range p.sg.API.Types {
		if def.Kind == ast.InputObject {
			tables[name] = map[string]*input{}
		}
	}
	for name, table := range tables {
		for _, f := range p.sg.API.Types[name].Fields {
			own := &input{p.inputWeight(f.Directives, f.Type), tables[f.Type.Name()]}
			priced = priced || own.weight != 0
			if own.weight != 0 || own.fields != nil {
				table[f.Name] = own
			}
		}
	}
	if priced {
		p.inputs = tables
	}
}

func (p *Pricer) inputWeight(directives ast.DirectiveList, t *ast.Type) float64 {
	return weight(directives, weight(p.sg.API.Types[t.Name()].Directives, 0))
}

// arguments are those of f that may cost something.
func (p *Pricer) arguments(def *ast.FieldDefinition, f *operation.Field) []argument {
	var list []argument
	for _, given := range f.Arguments {
		arg := def.Arguments.ForName(given.Name)
		if arg == nil {
			continue
		}
		in := &input{p.inputWeight(arg.Directives, arg.Type), p.inputs[arg.Type.Name()]}
		if in.weight != 0 || in.fields != nil {
			list = append(list, argument{in, given.Value})
		}
	}
	return list
}

// cost is that of the argument with a request's variables.
func (a argument) cost(variables [][]byte) float64 { return a.of(a.value, variables) }

// of prices a value of an operation's text.
func (in *input) of(value operation.Value, variables [][]byte) float64 {
	sum := 0.0
	switch value.Kind {
	case operation.ValueVariable:
		if value.Variable >= len(variables) || variables[value.Variable] == nil {
			return 0
		}
		if in.fields == nil && variables[value.Variable][0] != '[' && variables[value.Variable][0] != 'n' {
			return in.weight
		}
		var decoded any
		if err := json.Unmarshal(variables[value.Variable], &decoded); err != nil {
			return 0 // it has been coerced: this can't be
		}
		return in.ofJSON(decoded)
	case operation.ValueLiteral:
		if value.Literal != "null" {
			sum = in.weight
		}
	case operation.ValueList:
		for _, item := range value.List {
			sum += in.of(item, variables)
		}
	case operation.ValueObject:
		sum = in.weight
		for _, f := range value.Object {
			if field := in.fields[f.Name]; field != nil {
				sum += field.of(f.Value, variables)
			}
		}
	}
	return sum
}

// ofJSON prices a variable's value.
func (in *input) ofJSON(value any) float64 {
	sum := 0.0
	switch value := value.(type) {
	case nil:
	case []any:
		for _, item := range value {
			sum += in.ofJSON(item)
		}
	case map[string]any:
		sum = in.weight
		for name, inner := range value {
			if field := in.fields[name]; field != nil {
				sum += field.ofJSON(inner)
			}
		}
	default:
		sum = in.weight
	}
	return sum
}
