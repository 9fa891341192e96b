// Package apischema makes the API schema of a supergraph: what clients see, without federation's machinery and without
// what is @inaccessible, and checks that it is a valid schema. Specified in https://specs.apollo.dev/inaccessible/v0.2.
package apischema

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/merge"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// builder makes the API schema and collects what is wrong with it.
type builder struct {
	from   *merge.Supergraph
	errors report.Errors
}

// Of returns the API schema of a supergraph, or the errors that @inaccessible elements cause.
func Of(s *merge.Supergraph) (*schema.Schema, report.Errors) {
	b := &builder{from: s}
	for _, rule := range []func(*builder){
		(*builder).roots, (*builder).references, (*builder).required, (*builder).children, (*builder).implementations, (*builder).defaults, (*builder).disallowed,
	} {
		rule(b)
	}
	if len(b.errors) > 0 {
		return nil, b.errors
	}
	return b.build(), nil
}

func hidden(e *schema.Element) bool { return e.Has("inaccessible") }

// visible tells whether a named type is in the API schema.
func (b *builder) visible(name string) bool {
	t := b.from.Type(name)
	return t == nil || !hidden(&t.Element)
}

// types are those of the supergraph that are no machinery.
func (b *builder) types() []*schema.Type {
	var all []*schema.Type
	for _, t := range b.from.Types {
		if !b.from.Machinery[t.Name] {
			all = append(all, t)
		}
	}
	return all
}

func (b *builder) errorf(code report.Code, coordinate string, format string, args ...any) {
	b.errors = append(b.errors, &report.Error{Code: code, Coordinate: coordinate, Nodes: b.nodes(coordinate), Message: fmt.Sprintf(format, args...)})
}

// nodes are the places where subgraphs declare what the coordinate names.
func (b *builder) nodes(coordinate string) []report.Node {
	var all []report.Node
	for _, s := range b.from.Subgraphs {
		s.EachElement(func(e *schema.Element, _ ast.DirectiveLocation, c string) {
			if c == coordinate && e.Position != nil {
				all = append(all, s.Node(e.Position))
			}
		})
	}
	return all
}

// build copies what is visible.
func (b *builder) build() *schema.Schema {
	api := schema.New("")
	for _, d := range b.from.Directives {
		if !b.from.Machinery["@"+d.Name] {
			c := *d
			c.Arguments = b.arguments(d.Arguments)
			api.AddDirective(&c)
		}
	}
	api.Root.Description = b.from.Root.Description
	for op, name := range b.from.Roots {
		if b.visible(name) {
			api.Roots[op] = name
		}
	}
	for _, t := range b.types() {
		if !hidden(&t.Element) {
			api.AddType(b.typ(t))
		}
	}
	return api
}

func (b *builder) typ(t *schema.Type) *schema.Type {
	c := &schema.Type{Name: t.Name, Kind: t.Kind, Element: clean(&t.Element)}
	for _, ref := range t.Interfaces {
		if b.visible(ref.Name) {
			c.Interfaces = append(c.Interfaces, ref)
		}
	}
	for _, m := range t.Members {
		if b.visible(m.Name) {
			c.Members = append(c.Members, m)
		}
	}
	for _, f := range t.Fields {
		if !hidden(&f.Element) {
			c.AddField(&schema.Field{Name: f.Name, Element: clean(&f.Element), Type: f.Type, Default: f.Default, Arguments: b.arguments(f.Arguments)})
		}
	}
	for _, v := range t.Values {
		if !hidden(&v.Element) {
			c.AddValue(&schema.EnumValue{Name: v.Name, Element: clean(&v.Element)})
		}
	}
	return c
}

func (b *builder) arguments(args []*schema.Argument) []*schema.Argument {
	var kept []*schema.Argument
	for _, a := range args {
		if !hidden(&a.Element) {
			kept = append(kept, &schema.Argument{Name: a.Name, Element: clean(&a.Element), Type: a.Type, Default: a.Default})
		}
	}
	return kept
}

// clean keeps the directives that every GraphQL schema has.
func clean(e *schema.Element) schema.Element {
	c := schema.Element{Description: e.Description}
	for _, d := range e.Applied {
		if d.Name == "deprecated" || d.Name == "specifiedBy" {
			c.Applied = append(c.Applied, d)
		}
	}
	return c
}
