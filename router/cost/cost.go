// Package cost prices operations: before they run by an estimate, afterwards by what came.
//
// In goes an operation in its normal form; Pricer.Compile turns it into a Cost, a tree that mirrors the selections with all that
// the schema says worked out, so that Estimate only multiplies by the sizes in a request's variables. The rules are those
// of the cost specification (https://specs.apollo.dev/cost, after https://ibm.github.io/graphql-specs/cost-spec.html):
//
//   - an object costs 1, a leaf nothing, and a mutation 10 besides, unless @cost gives a field or its type a weight;
//   - a list costs what its items cost together, where @listSize says how many there may be: by a slicing argument, for the
//     field itself or for its sizedFields, or by assumedSize; without a word of the schema, Config.ListSize;
//   - an argument or an input field costs its own weight, if it has one and is given;
//   - of an abstract type, the most expensive runtime type counts, since only one can come.
package cost

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Config says how operations are priced, and what they may cost. The zero value prices nothing.
type Config struct {
	// Mode is off, measure, which tells the cost and refuses nothing, or enforce. Empty means off.
	Mode string `enum:"off,measure,enforce"`
	// Max is what an operation's estimate may be. Zero means that there is no bound.
	Max int `min:"0" max:"1000000000"`
	// Clients have another bound, by their name.
	Clients map[string]int `min:"0" max:"1000000000"`
	// ListSize is how many items a list is taken to have of which the schema says nothing. Zero means 10.
	ListSize int `min:"0" max:"1000000"`
	// Header is a response header that tells the estimate, and what it came to, as "estimated=120, actual=87". Empty means
	// none.
	Header string
}

// Enabled says whether operations are priced.
func (c Config) Enabled() bool { return c.Mode == "measure" || c.Mode == "enforce" }

// Bound is what an operation of a client may cost; 0 is no bound.
func (c Config) Bound(client string) int {
	if own, ok := c.Clients[client]; ok {
		return own
	}
	return c.Max
}

// Refuses says whether an operation with this estimate must not run for a client.
func (c Config) Refuses(client string, estimate float64) bool {
	bound := c.Bound(client)
	return c.Mode == "enforce" && bound > 0 && estimate > float64(bound)
}

// CodeTooExpensive is the code of an operation that is refused for its estimate, as other routers name it.
const CodeTooExpensive = "COST_ESTIMATED_TOO_EXPENSIVE"

// Cost prices one operation for any variables. It is immutable.
type Cost struct {
	base float64
	root selections
	// fixed is the estimate if no variable has a part in it; negative otherwise.
	fixed float64
}

// selections is a selection set: fields, and which of them can come together.
type selections struct {
	fields []field
	// together lists fields by their indices, once for each set that some runtime type has; nil if all come together.
	together [][]int
}

// field is one selected field.
type field struct {
	key string
	// weight is that of one value, without its selections.
	weight float64
	// size is how many values there are; nil for one.
	size       *size
	arguments  []argument
	selections selections
}

// mutation is what a mutation costs besides its fields.
const mutation = 10

// Pricer prices the operations of one supergraph. It is safe for concurrent use once it is made.
type Pricer struct {
	sg       *supergraph.Supergraph
	listSize int
	// inputs are the prices of input types' fields by the type's name; nil if no input field has any.
	inputs map[string]map[string]*input
}

// New prepares to price operations over sg.
func New(sg *supergraph.Supergraph, cfg Config) *Pricer {
	p := &Pricer{sg: sg, listSize: cfg.ListSize}
	if p.listSize == 0 {
		p.listSize = 10
	}
	p.priceInputs()
	return p
}

// Compile prices op.
func (p *Pricer) Compile(op *operation.Operation) *Cost {
	cost := &Cost{root: p.selections(op.Selections, nil, nil), fixed: -1}
	if op.Kind == operation.Mutation {
		cost.base = mutation
	}
	if len(op.Variables) == 0 {
		cost.fixed = cost.Estimate(nil)
	}
	return cost
}

// selections compiles a selection set; sized are the fields in it whose size the parent's @listSize gives.
func (p *Pricer) selections(list []*operation.Field, sized []string, by *size) selections {
	s := selections{fields: make([]field, len(list))}
	var types supergraph.TypeSet
	same := true
	for i, f := range list {
		var own *size
		if slices.Contains(sized, f.Name) {
			own = by
		}
		s.fields[i] = p.field(f, own)
		same = same && slices.Equal(f.Types, list[0].Types)
		for id := range f.Types.All() {
			types.Add(id)
		}
	}
	if same {
		return s
	}
	for id := range types.All() {
		var set []int
		for i, f := range list {
			if f.Types.Has(id) {
				set = append(set, i)
			}
		}
		if !slices.ContainsFunc(s.together, func(other []int) bool { return slices.Equal(other, set) }) {
			s.together = append(s.together, set)
		}
	}
	return s
}

func (p *Pricer) field(f *operation.Field, by *size) field {
	own := field{key: f.ResponseKey}
	def := p.definition(f)
	if def == nil || f.Denied || strings.HasPrefix(f.Name, "__") { // what the router answers itself, or doesn't fetch, costs nothing
		return own
	}
	named := p.sg.API.Types[def.Type.Name()]
	usual := 0.0
	if len(f.Selections) > 0 {
		usual = 1
	}
	own.weight = weight(def.Directives, weight(named.Directives, usual))
	own.arguments = p.arguments(def, f)
	sized := def.Directives.ForName("listSize")
	isList := def.Type.Elem != nil
	var within *size
	switch {
	case sized != nil && len(texts(sized, "sizedFields")) > 0:
		within = p.size(sized, def, f)
	case sized != nil && isList:
		by = p.size(sized, def, f)
	}
	if isList && by == nil {
		by = &size{assumed: p.listSize}
	}
	if isList {
		own.size = by
	}
	own.selections = p.selections(f.Selections, texts(sized, "sizedFields"), within)
	return own
}

// definition is that of a field in the API schema; nil for those of introspection.
func (p *Pricer) definition(f *operation.Field) *ast.FieldDefinition {
	for id := range f.Types.All() {
		if t := p.sg.API.Types[p.sg.Objects[id]]; t != nil {
			return t.Fields.ForName(f.Name)
		}
	}
	return nil
}

// weight is what @cost gives, or otherwise.
func weight(directives ast.DirectiveList, otherwise float64) float64 {
	d := directives.ForName("cost")
	if d == nil {
		return otherwise
	}
	arg := d.Arguments.ForName("weight")
	if arg == nil {
		return otherwise
	}
	w, err := strconv.ParseFloat(arg.Value.Raw, 64)
	if err != nil {
		return otherwise
	}
	return w
}

// texts is a directive's argument that is a list of strings.
func texts(d *ast.Directive, name string) (list []string) {
	if d == nil {
		return nil
	}
	if arg := d.Arguments.ForName(name); arg != nil {
		for _, child := range arg.Value.Children {
			list = append(list, child.Value.Raw)
		}
	}
	return list
}
