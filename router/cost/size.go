package cost

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation"
)

// size is how many items a list may have: the largest of its slicing arguments, or what is assumed where none is given.
type size struct {
	assumed int
	slices  []slice
}

// slice is a slicing argument: a number, or the variable that holds it.
type slice struct {
	fixed    int
	variable int
}

const noVariable = -1

// size is what @listSize says of a field.
func (p *Pricer) size(d *ast.Directive, def *ast.FieldDefinition, f *operation.Field) *size {
	s := &size{assumed: p.listSize}
	if arg := d.Arguments.ForName("assumedSize"); arg != nil {
		if n, err := strconv.Atoi(arg.Value.Raw); err == nil {
			s.assumed = n
		}
	}
	for _, name := range texts(d, "slicingArguments") {
		given := false
		for _, arg := range f.Arguments {
			if arg.Name != name {
				continue
			}
			given = true
			switch arg.Value.Kind {
			case operation.ValueVariable:
				s.slices = append(s.slices, slice{variable: arg.Value.Variable})
			case operation.ValueLiteral:
				if n, err := strconv.Atoi(arg.Value.Literal); err == nil {
					s.slices = append(s.slices, slice{fixed: n, variable: noVariable})
				}
			}
		}
		if a := def.Arguments.ForName(name); !given && a != nil && a.DefaultValue != nil {
			if n, err := strconv.Atoi(a.DefaultValue.Raw); err == nil {
				s.slices = append(s.slices, slice{fixed: n, variable: noVariable})
			}
		}
	}
	return s
}

// of is the size for a request's variables.
func (s *size) of(variables [][]byte) float64 {
	if s == nil {
		return 1
	}
	most, known := 0, false
	for _, each := range s.slices {
		n := each.fixed
		if each.variable != noVariable {
			if each.variable >= len(variables) {
				continue
			}
			var err error
			if n, err = strconv.Atoi(string(variables[each.variable])); err != nil {
				continue // not given, or null
			}
		}
		most, known = max(most, n), true
	}
	if !known {
		return float64(s.assumed)
	}
	return float64(most)
}
