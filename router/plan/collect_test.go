package plan_test

import "github.com/vektah/gqlparser/v2/ast"

// collected are the fields of one response key.
type collected struct {
	key    string
	fields []*ast.Field
}

func (s *service) collect(into []*collected, typ string, set ast.SelectionSet, variables map[string]any) []*collected {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if skipped(sel.Directives, variables) {
				continue
			}
			key := sel.Alias
			found := false
			for _, c := range into {
				if c.key == key {
					c.fields, found = append(c.fields, sel), true
				}
			}
			if !found {
				into = append(into, &collected{key, []*ast.Field{sel}})
			}
		case *ast.InlineFragment:
			if s.is(typ, sel.TypeCondition) && !skipped(sel.Directives, variables) {
				into = s.collect(into, typ, sel.SelectionSet, variables)
			}
		case *ast.FragmentSpread:
			if s.is(typ, sel.Definition.TypeCondition) && !skipped(sel.Directives, variables) {
				into = s.collect(into, typ, sel.Definition.SelectionSet, variables)
			}
		}
	}
	return into
}

func skipped(directives ast.DirectiveList, variables map[string]any) bool {
	for _, d := range directives {
		if d.Name == "defer" {
			continue // One server answers as a whole.
		}
		if holds, _ := d.ArgumentMap(variables)["if"].(bool); holds == (d.Name == "skip") {
			return true
		}
	}
	return false
}

func (s *service) is(typ, condition string) bool {
	if condition == "" || typ == condition {
		return true
	}
	for _, p := range s.schema.PossibleTypes[condition] {
		if p.Name == typ {
			return true
		}
	}
	return false
}
