package execute

import (
	"strings"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// cursor reads the braced parts of the notation.
type cursor struct {
	n *notation
	s string
}

func (c *cursor) space() { c.s = strings.TrimLeft(c.s, " ") }

// eat skips a byte if it comes next.
func (c *cursor) eat(b byte) bool {
	c.space()
	if c.s != "" && c.s[0] == b {
		c.s = c.s[1:]
		return true
	}
	return false
}

func (c *cursor) expect(b byte) {
	if !c.eat(b) {
		c.n.t.Fatalf("want %q at %q", b, c.s)
	}
}

func (c *cursor) name() string {
	c.space()
	i := 0
	for i < len(c.s) && (c.s[i] == '_' || c.s[i] >= '0' && c.s[i] <= '9' || c.s[i]|0x20 >= 'a' && c.s[i]|0x20 <= 'z') {
		i++
	}
	if i == 0 {
		c.n.t.Fatalf("want a name at %q", c.s)
	}
	name := c.s[:i]
	c.s = c.s[i:]
	return name
}

// pair reads a=b, or a, which is a=a.
func (c *cursor) pair() (left, right string) {
	left = c.name()
	if c.s != "" && c.s[0] == '=' {
		c.s = c.s[1:]
		return left, c.name()
	}
	return left, left
}

func (c *cursor) selection(shape *plan.Shape, id supergraph.ObjectID) *plan.Selection {
	sel := &plan.Selection{Shape: shape, Type: id}
	c.expect('{')
	for !c.eat('}') {
		slot, key := c.pair()
		f := plan.SelectionField{Key: key, Slot: c.n.slot(shape, slot)}
		id := supergraph.NoObject
		if c.s != "" && c.s[0] == ':' {
			c.s = c.s[1:]
			id = c.n.object(c.name())
		}
		if c.s[0] == '{' {
			f.Selection = c.selection(c.n.child(shape, f.Slot), id)
		}
		sel.Fields = append(sel.Fields, f)
	}
	return sel
}

func (c *cursor) representation(shape *plan.Shape) []plan.RepresentationField {
	fields := []plan.RepresentationField{}
	c.expect('{')
	for !c.eat('}') {
		var f plan.RepresentationField
		if c.eat('<') {
			f.Types = c.conditions()
		}
		name, slot := c.pair()
		f.Name = name
		if name == "__typename" {
			f.TypeName = true
		} else {
			f.Slot = c.n.slot(shape, slot)
		}
		if c.s[0] == '{' {
			f.Fields = c.representation(c.n.child(shape, f.Slot))
		}
		f.Key, f.NonNull = c.eat('*'), c.eat('!')
		fields = append(fields, f)
	}
	return fields
}

func (c *cursor) conditions() supergraph.TypeSet {
	end := strings.IndexByte(c.s, '>')
	types := c.n.types(c.s[:end])
	c.s = c.s[end+1:]
	return types
}

func (c *cursor) output(shape *plan.Shape, types supergraph.TypeSet) *plan.Output {
	out := &plan.Output{Types: types}
	c.expect('{')
	for !c.eat('}') {
		var f plan.OutputField
		if c.eat('<') {
			f.Types = c.conditions()
		}
		f.Denied = c.eat('-')
		key, slot := c.pair()
		f.Key, f.Slot = key, c.n.slot(shape, slot)
		f.Coordinate = "T." + key
		f.NonNull = []bool{true}
		if f.Slot != plan.TypeSlot {
			c.expect(':')
			f.NonNull = nil
			c.outputType(&f, shape)
		}
		out.Fields = append(out.Fields, f)
	}
	return out
}

var leaves = map[string]plan.Leaf{
	"Any": plan.LeafAny, "Int": plan.LeafInt, "Float": plan.LeafFloat, "String": plan.LeafString,
	"Boolean": plan.LeafBoolean, "ID": plan.LeafID, "E": plan.LeafEnum,
}

func (c *cursor) outputType(f *plan.OutputField, shape *plan.Shape) {
	if c.eat('[') {
		c.outputType(f, shape)
		c.expect(']')
	} else {
		c.namedType(f, shape)
	}
	// The levels are written innermost first, and the list wants them outermost first.
	f.NonNull = append([]bool{c.s != "" && c.s[0] == '!'}, f.NonNull...)
	if f.NonNull[0] {
		c.s = c.s[1:]
	}
}

func (c *cursor) namedType(f *plan.OutputField, shape *plan.Shape) {
	var types supergraph.TypeSet
	if c.eat('<') {
		types = c.conditions()
	} else if leaf, ok := leaves[c.name()]; ok {
		f.Leaf = leaf
	}
	switch {
	case f.Leaf == plan.LeafEnum:
		end := strings.IndexByte(c.s, ')')
		f.Enum = map[string]struct{}{}
		for _, v := range strings.Split(c.s[1:end], ",") {
			f.Enum[v] = struct{}{}
		}
		c.s = c.s[end+1:]
	case f.Leaf == plan.Composite:
		f.Output = c.output(c.n.child(shape, f.Slot), types)
	}
}
