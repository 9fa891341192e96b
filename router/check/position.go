package check

import "github.com/vektah/gqlparser/v2/ast"

// position is where a type's values go: to clients, from them, or both.
type position uint8

const (
	output position = 1 << iota
	input
)

// positions are those of each type of a schema, by what fields return and arguments and input fields take.
func positions(api *ast.Schema) map[string]position {
	at := map[string]position{}
	for _, t := range api.Types {
		if t.BuiltIn {
			continue
		}
		for _, f := range t.Fields {
			if t.Kind == ast.InputObject {
				at[f.Type.Name()] |= input
				continue
			}
			at[f.Type.Name()] |= output
			for _, a := range f.Arguments {
				at[a.Type.Name()] |= input
			}
		}
	}
	return at
}
