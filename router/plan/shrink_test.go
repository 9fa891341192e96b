package plan_test

import (
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router/compose"
)

// shrink leaves out of a failing case what can be left out so that it still fails in the same way: parts of the
// operation first, then parts of the subgraphs, until nothing more goes.
func (c *randomCase) shrink(kind string) *randomCase {
	small := *c
	deadline := time.Now().Add(shrinkTime)
	for before := ""; before != small.String() && time.Now().Before(deadline); {
		before = small.String()
		small = small.smallerQuery(kind)
		for i := len(small.subgraphs) - 1; i >= 0; i-- {
			small = small.without(kind, i)
		}
		for i := range small.subgraphs {
			small = small.smallerSubgraph(kind, i, deadline)
		}
	}
	return &small
}

const shrinkTime = 20 * time.Second

func (c randomCase) fails(kind string) bool {
	d, _ := c.run()
	return d != nil && d.kind == kind
}

// without leaves out a subgraph.
func (c randomCase) without(kind string, i int) randomCase {
	next := c
	next.subgraphs = slices.Delete(slices.Clone(c.subgraphs), i, i+1)
	if len(next.subgraphs) > 0 && next.fails(kind) {
		return next
	}
	return c
}

// smallerQuery leaves out selections, arguments, directives and variables.
func (c randomCase) smallerQuery(kind string) randomCase {
	c = c.inlined(kind)
	for n := 0; ; {
		doc, err := parser.ParseQuery(&ast.Source{Input: c.request.query})
		if err != nil || !cutQuery(doc, n) {
			return c
		}
		next := c
		var b strings.Builder
		formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatQueryDocument(doc)
		next.request.query = b.String()
		if next.fails(kind) {
			c = next
		} else {
			n++
		}
	}
}

// inlined puts fragments in the places of their names.
func (c randomCase) inlined(kind string) randomCase {
	doc, err := parser.ParseQuery(&ast.Source{Input: c.request.query})
	if err != nil {
		return c
	}
	var inline func(set ast.SelectionSet)
	inline = func(set ast.SelectionSet) {
		for i, sel := range set {
			if spread, ok := sel.(*ast.FragmentSpread); ok {
				f := doc.Fragments.ForName(spread.Name)
				sel = &ast.InlineFragment{TypeCondition: f.TypeCondition, Directives: spread.Directives, SelectionSet: f.SelectionSet}
				set[i] = sel
			}
			switch sel := sel.(type) {
			case *ast.Field:
				inline(sel.SelectionSet)
			case *ast.InlineFragment:
				inline(sel.SelectionSet)
			}
		}
	}
	inline(doc.Operations[0].SelectionSet)
	doc.Fragments = nil
	next := c
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatQueryDocument(doc)
	if next.request.query = b.String(); next.fails(kind) {
		return next
	}
	return c
}

// cutter leaves out the part with a number, counting down.
type cutter struct{ n int }

func (k *cutter) here() bool {
	k.n--
	return k.n == -1
}

// cut leaves out an item of a list, or goes into the items.
func cut[T any](k *cutter, list []T, into func(T)) []T {
	for i := 0; i < len(list) && k.n >= 0; i++ {
		if k.here() {
			return slices.Delete(slices.Clone(list), i, i+1)
		}
		if into != nil {
			into(list[i])
		}
	}
	return list
}

func cutQuery(doc *ast.QueryDocument, n int) bool {
	k := &cutter{n}
	op := doc.Operations[0]
	op.SelectionSet = k.selections(op.SelectionSet)
	op.VariableDefinitions = cut(k, op.VariableDefinitions, nil)
	doc.Fragments = cut(k, doc.Fragments, func(f *ast.FragmentDefinition) { f.SelectionSet = k.selections(f.SelectionSet) })
	return k.n < 0
}

func (k *cutter) selections(set ast.SelectionSet) ast.SelectionSet {
	// A fragment may be replaced by what is in it.
	for i, sel := range set {
		if f, ok := sel.(*ast.InlineFragment); ok && k.here() {
			return slices.Replace(slices.Clone(set), i, i+1, f.SelectionSet...)
		}
	}
	return cut(k, set, func(sel ast.Selection) {
		switch sel := sel.(type) {
		case *ast.Field:
			sel.Arguments = cut(k, sel.Arguments, nil)
			sel.Directives = cut(k, sel.Directives, nil)
			if sel.Alias != sel.Name && k.here() {
				sel.Alias = sel.Name
			}
			sel.SelectionSet = k.selections(sel.SelectionSet)
		case *ast.InlineFragment:
			sel.Directives = cut(k, sel.Directives, nil)
			sel.SelectionSet = k.selections(sel.SelectionSet)
		}
	})
}

// smallerSubgraph leaves out types, fields, directives, members and arguments.
func (c randomCase) smallerSubgraph(kind string, i int, deadline time.Time) randomCase {
	for n := 0; time.Now().Before(deadline); {
		doc, err := parser.ParseSchema(&ast.Source{Input: c.subgraphs[i].SDL})
		if err != nil || !cutSchema(doc, n) {
			return c
		}
		var b strings.Builder
		formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchemaDocument(doc)
		next := c
		next.subgraphs = slices.Clone(c.subgraphs)
		next.subgraphs[i] = compose.Subgraph{Name: c.subgraphs[i].Name, URL: c.subgraphs[i].URL, SDL: b.String()}
		if next.fails(kind) {
			c = next
		} else {
			n++
		}
	}
	return c
}

func cutSchema(doc *ast.SchemaDocument, n int) bool {
	k := &cutter{n}
	doc.Definitions = cut(k, doc.Definitions, func(def *ast.Definition) {
		def.Fields = cut(k, def.Fields, func(f *ast.FieldDefinition) {
			f.Arguments = cut(k, f.Arguments, nil)
			f.Directives = cut(k, f.Directives, nil)
		})
		def.Directives = cut(k, def.Directives, nil)
		def.Interfaces = cut(k, def.Interfaces, nil)
		def.Types = cut(k, def.Types, nil)
		def.EnumValues = cut(k, def.EnumValues, nil)
	})
	return k.n < 0
}
