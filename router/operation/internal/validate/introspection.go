package validate

import "github.com/vektah/gqlparser/v2/ast"

// maxLists bounds the lists of fields, interfaces, possible types and input fields that an introspection query
// may nest: each multiplies the answer by the size of the schema. Tools need two.
const maxLists = 3

// maxIntrospectionDepth is no rule of the specification, but of graphql-js.
func maxIntrospectionDepth(d *document) {
	c := introspection{document: d, known: map[string]int{}}
	for _, def := range d.definitions {
		for _, f := range def.fields {
			if (f.Name == "__schema" || f.Name == "__type") && c.lists(f.SelectionSet) >= maxLists {
				d.report(at(f.Position), "Maximum introspection depth exceeded")
			}
		}
	}
}

// introspection computes how many lists nest in a selection set, once for each fragment.
type introspection struct {
	document *document
	known    map[string]int
}

func (c *introspection) lists(set ast.SelectionSet) int {
	deepest := 0
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			own := 0
			switch s.Name {
			case "fields", "interfaces", "possibleTypes", "inputFields":
				own = 1
			}
			deepest = max(deepest, own+c.lists(s.SelectionSet))
		case *ast.InlineFragment:
			deepest = max(deepest, c.lists(s.SelectionSet))
		case *ast.FragmentSpread:
			deepest = max(deepest, c.fragment(s.Name))
		}
	}
	return deepest
}

// fragment counts a fragment within itself as nothing: that is another rule's error.
func (c *introspection) fragment(name string) int {
	if n, ok := c.known[name]; ok {
		return n
	}
	def := c.document.fragments[name]
	if def == nil {
		return 0
	}
	c.known[name] = 0
	n := c.lists(def.fragment.SelectionSet)
	c.known[name] = n
	return n
}
