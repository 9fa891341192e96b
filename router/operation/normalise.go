package operation

import (
	"encoding/binary"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// Normalise brings the operation into normal form for one variant. The only error is an *Error with CodeFields:
// the normal form is larger than Limits.Fields.
//
// Some things are not in Field's own documentation. A composite field without Selections is one of whose
// selections nothing is left (skipped, or impossible for every type): it is still to be fetched, with __typename
// alone, so that its errors appear, and answered as an empty object. A denied field has no Arguments either.
// And Selections, like the Fields in them, may be shared: equal sub-selections are one slice.
//
// The work is bounded although type conditions in nested selections multiply: a selection set is computed once
// for the fields that are merged into it and the types of their parents, and what comes out equal is one.
func (s *Selected) Normalise(v Variant) (*Operation, error) {
	n := &normaliser{
		selected: s, supergraph: s.supergraph, variant: v,
		numbers:  map[*ast.Field]uint64{},
		memo:     map[string]*selection{},
		interned: map[string]*selection{},
		argument: map[*ast.Field]string{},
		possible: map[string]supergraph.TypeSet{},
	}
	root := &ast.Field{SelectionSet: s.definition.SelectionSet}
	top := n.selection([]use{{field: root}}, s.supergraph.Possible(n.rootType()))
	if n.exhausted() || top.size > s.fields {
		return nil, &Error{
			Message: fmt.Sprintf("The operation selects more than %d fields once its fragments are merged.", s.fields),
			Code:    CodeFields,
		}
	}
	op := newLifter(s).operation(top)
	op.Defers = n.deferred
	return op, nil
}

// normaliser holds what one call of Normalise knows.
type normaliser struct {
	selected   *Selected
	supergraph *supergraph.Supergraph
	variant    Variant

	// numbers name the fields of the text in memo's keys.
	numbers map[*ast.Field]uint64
	// memo holds a selection by the fields merged into it and the types of the parent.
	memo map[string]*selection
	// interned holds every selection by its content.
	interned map[string]*selection
	argument map[*ast.Field]string
	possible map[string]supergraph.TypeSet
	// deferred are the uses of @defer found.
	deferred []*Defer
	// made counts the nodes made, collected the fields of the text looked at.
	made, collected int
}

// exhausted reports whether the normal form is too large, or takes too long: an honest operation has about as
// many fields collected as its normal form has.
func (n *normaliser) exhausted() bool {
	return n.made > n.selected.fields || n.collected/2 > n.selected.fields
}

// selection is a merged selection set. Equal ones are one pointer.
type selection struct {
	id    uint64
	nodes []*node
	// size counts the fields of the tree below, saturating.
	size int
}

// node is a Field in the making.
type node struct {
	// field is the first of the text: response key, name and arguments of the others are the same.
	field  *ast.Field
	types  supergraph.TypeSet
	denied bool
	// deferred is Field.Deferred.
	deferred []DeferredBy
	// below is nil for leaves and denied fields.
	below *selection
}

func (n *normaliser) rootType() string {
	api := n.supergraph.API
	switch n.selected.Kind {
	case Mutation:
		return api.Mutation.Name
	case Subscription:
		return api.Subscription.Name
	}
	return api.Query.Name
}

// narrow restricts types to those that a type condition can match.
func (n *normaliser) narrow(types supergraph.TypeSet, condition string) supergraph.TypeSet {
	return types.Intersect(n.typesOf(condition))
}

func (n *normaliser) typesOf(name string) supergraph.TypeSet {
	set, ok := n.possible[name]
	if !ok {
		set = n.supergraph.Possible(name)
		n.possible[name] = set
	}
	return set
}

// selection merges the sub-selections of fields that have one response key.
func (n *normaliser) selection(fields []use, types supergraph.TypeSet) *selection {
	key := n.memoKey(fields, types)
	if s, ok := n.memo[key]; ok {
		return s
	}
	c := collector{n: n}
	for _, f := range fields {
		c.collect(f.field.SelectionSet, types, f.in)
	}
	n.collected += len(c.entries)
	m := merger{n: n}
	// With @defer in force, or something denied, it matters where all contributions come from.
	for _, g := range groups(c.entries, n.deferred != nil || n.variant.Denied != (Bits{})) {
		m.group(g, c.entries)
	}
	s := n.intern(m.sequence.join())
	n.memo[key] = s
	return s
}

func (n *normaliser) memoKey(fields []use, types supergraph.TypeSet) string {
	key := appendTypes(nil, types)
	for _, f := range fields {
		number, ok := n.numbers[f.field]
		if !ok {
			number = uint64(len(n.numbers))
			n.numbers[f.field] = number
		}
		key = binary.AppendUvarint(key, number)
		if n.variant.Defers.Has(0) {
			key = f.in.append(key)
		}
	}
	return string(key)
}

// appendTypes appends a set so that equal sets give equal bytes, and nothing can be mistaken for its end.
func appendTypes(key []byte, types supergraph.TypeSet) []byte {
	for len(types) > 0 && types[len(types)-1] == 0 {
		types = types[:len(types)-1]
	}
	key = binary.AppendUvarint(key, uint64(len(types)))
	for _, word := range types {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	return key
}

// intern returns the one selection with these nodes.
func (n *normaliser) intern(nodes []*node) *selection {
	var key []byte
	for _, node := range nodes {
		identity := n.identity(node)
		key = binary.AppendUvarint(key, uint64(len(identity)))
		key = append(key, identity...)
		key = appendTypes(key, node.types)
	}
	if s, ok := n.interned[string(key)]; ok {
		return s
	}
	s := &selection{id: uint64(len(n.interned)), nodes: nodes}
	for _, node := range nodes {
		s.size++
		if node.below != nil {
			s.size = min(s.size+node.below.size, most)
		}
	}
	n.made += len(nodes)
	n.interned[string(key)] = s
	return s
}

// identity is everything that two nodes must have in common to be one field for the types of both.
func (n *normaliser) identity(d *node) string {
	key := append([]byte(d.field.Alias), ' ')
	key = append(append(key, d.field.Name...), ' ')
	for _, by := range d.deferred {
		key = by.append(append(key, '@'))
	}
	switch {
	case d.denied:
		return string(append(key, '!'))
	case d.below != nil:
		key = binary.AppendUvarint(append(key, '{'), d.below.id)
	}
	return string(append(key, n.arguments(d.field)...))
}

// arguments writes a field's arguments with their types: a variable that takes a literal must suit all places
// that it is used in.
func (n *normaliser) arguments(f *ast.Field) string {
	if len(f.Arguments) == 0 {
		return ""
	}
	text, ok := n.argument[f]
	if !ok {
		for _, a := range sortedArguments(f) {
			text += a.Name + ":" + a.Value.ExpectedType.String() + "=" + a.Value.String() + ","
		}
		n.argument[f] = text
	}
	return text
}
