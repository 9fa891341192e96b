package supergraph

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// check refuses supergraphs that contradict themselves, with the coordinate concerned.
func (l *loader) check() error {
	for _, t := range l.sg.Types {
		if strings.HasPrefix(t.Name, "__") {
			continue
		}
		if t.Kind != ast.Union && len(t.Fields) == 0 {
			return fmt.Errorf("%s has no fields", t.Name)
		}
		for _, f := range t.Fields {
			if t.Kind == ast.Object && !resolved(f) {
				return fmt.Errorf("%s.%s is resolved by no subgraph", t.Name, f.Name)
			}
		}
	}
	return nil
}

// resolved reports whether any subgraph resolves the field, in some world of override labels.
func resolved(f *Field) bool {
	for _, s := range f.In {
		if s != nil && !s.External && !s.Overridden {
			return true
		}
	}
	return false
}
