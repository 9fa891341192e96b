package subgraph

import (
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var (
	contextName      = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z]*$`)
	contextReference = regexp.MustCompile(`(?s)^\s*\$([A-Za-z][0-9A-Za-z_]*)\s*(\{.*)$`)
)

// contextNames wants the names in @context to be alphanumeric.
func contextNames(s *Subgraph) {
	for _, t := range s.Types {
		for _, d := range t.All("context") {
			switch n := d.Text("name"); {
			case strings.Contains(n, "_"):
				s.errorf(report.ContextNameInvalid, t.Name, d.Position, `Context name "%s" may not contain an underscore.`, n)
			case !contextName.MatchString(n):
				s.errorf(report.ContextNameInvalid, t.Name, d.Position, `Context name "%s" is invalid. It should have only alphanumeric characters.`, n)
			}
		}
	}
}

// ParseContext splits the argument of @fromContext into the context's name and the selection.
func ParseContext(field string) (context, selection string, ok bool) {
	m := contextReference.FindStringSubmatch(field)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// ContextTypes are the types on which the subgraph sets a context.
func (s *Subgraph) ContextTypes(context string) []*schema.Type {
	var all []*schema.Type
	for _, t := range s.Types {
		for _, d := range t.All("context") {
			if d.Text("name") == context {
				all = append(all, t)
			}
		}
	}
	return all
}

// contextUsage marks the fields that a @fromContext selects as used.
func (s *Subgraph) contextUsage(field string) {
	context, selection, ok := ParseContext(field)
	if !ok {
		return
	}
	for _, t := range s.ContextTypes(context) {
		s.EachSelected(t, selection, func(f *schema.Field, _ *schema.Selection) { s.Usage.Used[f] = true })
	}
}

// fromContextArguments checks every @fromContext.
func fromContextArguments(s *Subgraph) {
	for _, d := range s.Directives {
		for _, a := range d.Arguments {
			if a.Has("fromContext") {
				s.errorf(report.ContextNotSet, "@"+d.Name, a.Position,
					`@fromContext argument cannot be used on a directive definition "@%s(%s:)".`, d.Name, a.Name)
			}
		}
	}
	for _, t := range s.Types {
		for _, f := range t.Fields {
			for _, a := range f.Arguments {
				if d := a.One("fromContext"); d != nil {
					s.fromContext(t, f, a, d)
				}
			}
		}
	}
}

func (s *Subgraph) fromContext(t *schema.Type, f *schema.Field, a *schema.Argument, d *schema.Directive) {
	if !s.contextPlace(t, f, a) {
		return
	}
	field := d.Text("field")
	context, selection, ok := ParseContext(field)
	if !ok {
		s.errorf(report.NoContextInSelection, a.Coordinate(), d.Position, `@fromContext argument does not reference a context "%s".`, field)
		return
	}
	resolvable := false
	for _, key := range t.All("key") {
		resolvable = resolvable || key.Flag("resolvable", true)
	}
	if !resolvable {
		s.errorf(report.ContextNoResolvableKey, t.Name, t.Position,
			`Object "%s" has no resolvable key but has a field with a contextual argument.`, t.Name)
	}
	types := s.ContextTypes(context)
	if len(types) == 0 {
		s.errorf(report.ContextNotSet, a.Coordinate(), d.Position,
			`Context "%s" is used at location "%s" but is never set.`, context, a.Coordinate())
		return
	}
	if a.Default != nil {
		s.errorf(report.ContextNotSet, a.Coordinate(), d.Position,
			`@fromContext arguments may not have a default value: "%s".`, a.Coordinate())
		return
	}
	c := &contextUse{s: s, argument: a, context: context}
	c.check(types, selection)
}

// contextPlace tells whether a contextual argument may stand here.
func (s *Subgraph) contextPlace(t *schema.Type, f *schema.Field, a *schema.Argument) bool {
	if t.Kind != ast.Object {
		s.errorf(report.ContextNotSet, a.Coordinate(), a.Position,
			`@fromContext argument cannot be used on a field that exists on an abstract type "%s".`, a.Coordinate())
		return false
	}
	for _, ref := range t.Interfaces {
		if i := s.Type(ref.Name); i != nil && i.Field(f.Name) != nil {
			s.errorf(report.ContextNotSet, a.Coordinate(), a.Position,
				`@fromContext argument cannot be used on a field implementing an interface field "%s".`, i.Field(f.Name).Coordinate())
			return false
		}
	}
	return true
}
