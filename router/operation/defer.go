package operation

import (
	"encoding/binary"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Defer is one use of @defer in the normal form: a fragment whose fields are delivered later
// (https://github.com/graphql/graphql-spec/pull/1110). It stands at each position to which its selection set leads.
type Defer struct {
	// Number is the index in Operation.Defers.
	Number int
	// Label is the argument; empty if there is none.
	Label string
	// Parent is the use of @defer that this one stands in; nil for none.
	Parent *Defer
	// ParentUp is how many selection sets above this one that is.
	ParentUp int
}

// DeferredBy is a use of @defer, seen from a field.
type DeferredBy struct {
	*Defer
	// Up is how many selection sets above the field's own the fragment stands in: 0 if it is in the same one.
	Up int
}

// append appends what tells uses of @defer apart.
func (d DeferredBy) append(key []byte) []byte {
	if d.Defer == nil {
		return append(key, 0)
	}
	return binary.AppendUvarint(binary.AppendUvarint(key, uint64(d.Number)+1), uint64(d.Up))
}

// use is a field of the text with the use of @defer that it was met in; the zero DeferredBy for none.
type use struct {
	field *ast.Field
	in    DeferredBy
}

// deferred decides whether a fragment is deferred, and by what: in is what it stands in.
func (c *collector) deferred(directives ast.DirectiveList, in DeferredBy) DeferredBy {
	d := directives.ForName("defer")
	if d == nil || !c.n.defers(d) {
		return in
	}
	key := deferKey{d, in}
	if c.defers == nil {
		c.defers = map[deferKey]*Defer{}
	}
	known := c.defers[key]
	if known == nil {
		known = &Defer{Number: len(c.n.deferred), Parent: in.Defer, ParentUp: in.Up}
		if label := d.Arguments.ForName("label"); label != nil && label.Value.Kind != ast.NullValue {
			known.Label = label.Value.Raw
		}
		c.n.deferred = append(c.n.deferred, known)
		c.defers[key] = known
	}
	return DeferredBy{Defer: known}
}

// deferKey names a use of @defer within one selection set.
type deferKey struct {
	directive *ast.Directive
	in        DeferredBy
}

// defers decides @defer.
func (n *normaliser) defers(d *ast.Directive) bool {
	if !n.variant.Defers.Has(0) {
		return false
	}
	condition := d.Arguments.ForName("if")
	switch {
	case condition == nil:
		return true
	case condition.Value.Kind == ast.Variable:
		return n.variant.Defers.Has(n.selected.deferIf[condition.Value.Raw] + 1)
	}
	return condition.Value.Raw == "true"
}

// deferredBy is what a field is delivered with that is met in all of these: nothing where one of them isn't deferred,
// and nothing that another one of them is part of.
func deferredBy(uses []use) []DeferredBy {
	var out []DeferredBy
	for _, u := range uses {
		if u.in.Defer == nil {
			return nil
		}
		if !slices.Contains(out, u.in) {
			out = append(out, u.in)
		}
	}
	all := slices.Clone(out)
	out = slices.DeleteFunc(out, func(d DeferredBy) bool {
		return slices.ContainsFunc(all, func(o DeferredBy) bool { return d.within(o) })
	})
	slices.SortFunc(out, func(a, b DeferredBy) int { return a.Number - b.Number })
	return out
}

// within reports whether a use of @defer stands in another one.
func (d DeferredBy) within(o DeferredBy) bool {
	for d.Parent != nil {
		d = DeferredBy{d.Parent, d.Up + d.ParentUp}
		if d == o {
			return true
		}
	}
	return false
}
