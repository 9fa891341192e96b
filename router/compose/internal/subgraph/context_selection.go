package subgraph

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// contextUse is one @fromContext whose selection is being checked: it must pick exactly one value, of the argument's type,
// wherever the context is set.
type contextUse struct {
	s        *Subgraph
	argument *schema.Argument
	context  string
}

func (c *contextUse) fail(format string, args ...any) {
	c.s.errorf(report.ContextInvalidSelection, c.argument.Coordinate(), c.argument.Position,
		`Context "%s" is used in "%s" but the selection is invalid%s`, c.context, c.argument.Coordinate(), fmt.Sprintf(format, args...))
}

func (c *contextUse) check(types []*schema.Type, text string) {
	set, err := schema.ParseFieldSet(text)
	if err != nil {
		c.fail(": %s", syntaxMessage(err.Message))
		return
	}
	if why := unadorned(set); why != "" {
		c.fail(": %s", why)
		return
	}
	if len(set) == 0 {
		c.fail(": no selection is made")
		return
	}
	fragments, names := 0, map[string]bool{}
	for _, sel := range set {
		if sel.Fragment {
			fragments++
			if names[sel.On] {
				c.fail(": type conditions have same name")
				return
			}
			names[sel.On] = true
		}
	}
	if len(set) > 1 && fragments != len(set) {
		c.fail(": multiple selections are made")
		return
	}
	for _, t := range types {
		if !c.on(t, set) {
			return
		}
	}
	for _, sel := range set {
		on := c.s.Type(sel.On)
		if on != nil && !slices.ContainsFunc(types, func(t *schema.Type) bool { return c.s.Overlap(on, t) }) {
			c.fail(`: type condition "%s" is never used`, sel.On)
			return
		}
	}
}

// unadorned refuses aliases and directives.
func unadorned(set schema.FieldSet) string {
	for _, sel := range set {
		switch {
		case sel.Alias != "":
			return "aliases are not allowed in the selection"
		case len(sel.Directives) > 0:
			return "directives are not allowed in the selection"
		}
		if why := unadorned(sel.Sub); why != "" {
			return why
		}
	}
	return ""
}

// on checks the selection on one type that sets the context, and tells whether it is good.
func (c *contextUse) on(t *schema.Type, set schema.FieldSet) bool {
	matched := false
	for _, sel := range set {
		if !sel.Fragment {
			return c.value(t, t, set)
		}
		on := c.s.Type(sel.On)
		if on == nil {
			c.fail(` for type %s. Error: Unknown type "%s".%s`, t.Name, sel.On, schema.DidYouMean(sel.On, c.s.compositeNames()))
			return false
		}
		if !c.s.Overlap(on, t) {
			if len(set) == 1 && len(sel.Sub) == 1 && on.Field(sel.Sub[0].Field) == nil {
				return c.value(t, on, sel.Sub)
			}
			continue
		}
		matched = true
		if !c.value(t, on, sel.Sub) {
			return false
		}
	}
	if !matched {
		c.fail(`: no type condition matches the location "%s"`, t.Name)
	}
	return matched
}

// value follows a chain of single fields to its leaf, whose type must suit the argument.
func (c *contextUse) value(t, on *schema.Type, set schema.FieldSet) bool {
	var wrap []*ast.Type
	for {
		if len(set) != 1 || set[0].Fragment {
			c.fail(": multiple selections are made")
			return false
		}
		f := on.Field(set[0].Field)
		if f == nil {
			c.fail(` for type %s. Error: Cannot query field "%s" on type "%s".`, t.Name, set[0].Field, on.Name)
			return false
		}
		wrap = append(wrap, f.Type)
		of := c.s.Type(f.Type.Name())
		if of == nil || !of.IsComposite() {
			break
		}
		if len(set[0].Sub) == 0 {
			c.fail(` for type %s. Error: Invalid empty selection set for field "%s" of non-leaf type %s`, t.Name, f.Coordinate(), f.Type)
			return false
		}
		on, set = of, set[0].Sub
	}
	// The router may find no value, so even a non-null field gives a nullable one.
	selected := schema.Nullable(nested(wrap))
	if !c.s.IsTypeSubtype(c.argument.Type, selected) {
		c.fail(`: the type of the selection "%s" does not match the expected type "%s"`, selected, c.argument.Type)
		return false
	}
	return true
}

// nested is the type of a value below a chain of fields: each list on the way wraps it, each nullable field makes it nullable.
func nested(chain []*ast.Type) *ast.Type {
	last := chain[len(chain)-1]
	for i := len(chain) - 2; i >= 0; i-- {
		last = substitute(chain[i], last)
	}
	return last
}

func substitute(outer, inner *ast.Type) *ast.Type {
	if outer.Elem != nil {
		return &ast.Type{Elem: substitute(outer.Elem, inner), NonNull: outer.NonNull}
	}
	if !outer.NonNull {
		return schema.Nullable(inner)
	}
	return inner
}
