package execute

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Plans in test files are written in a small notation, a statement a line:
//
//	supergraph users reviews: User Review the subgraphs, and the object types besides the roots
//	kind mutation                         of the operation; query if left out
//	variable id "1"                       a variable and its literal, if it has one
//	fetch users SELECTION                 a fetch of root fields; fetches are numbered from 0
//	fetch users after 0 at add.q SELECTION the same for objects of the query type below the root
//	fetch reviews after 0,1 with id       an entity fetch; "with" names variables of the plan
//	entities User                         an _entities field of it (alias e0, e1, …; variable r0, r1, …)
//	represent User|Admin as Person        a variant of representation; both parts may be left out
//	at me.friends REPRESENTATION SELECTION  a target: the path to the objects, one representation per variant
//	output OUTPUT                         the output
//
// SELECTION is {key slot=key key:Type{…}}: a slot is named like its key unless another name is given; slots
// that start with _ are seen by no client. REPRESENTATION is {name=slot* other=slot! nested=slot{…}}, * for
// key fields and ! for non-null ones. OUTPUT is {key:Type! key=slot:[Type!]! <User|Admin>key:Type -denied:T}:
// leaf types by their names, custom scalars as Any, enums as E(RED,GREEN), objects as Name{…}.
type notation struct {
	t      testing.TB
	plan   *plan.Plan
	shapes []*plan.Shape
	names  map[*plan.Shape]map[string]int
	fetch  *plan.Fetch
}

func parsePlan(t testing.TB, text string) *plan.Plan {
	t.Helper()
	n := &notation{t: t, names: map[*plan.Shape]map[string]int{}}
	n.plan = &plan.Plan{}
	n.plan.Root = n.shape()
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			n.statement(line)
		}
	}
	for _, f := range n.plan.Fetches {
		f.Envelope = []byte(`{"query":"` + f.Query + `","variables":{`)
	}
	n.plan.Compile()
	return n.plan
}

// supergraph makes a supergraph in which every subgraph has every type: execution needs their names only.
func (n *notation) supergraph(subgraphs, types []string) {
	var sdl strings.Builder
	sdl.WriteString(`schema @link(url: "https://specs.apollo.dev/link/v1.0")
		@link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
		{ query: Query mutation: Mutation subscription: Subscription }
		enum join__Graph {`)
	for _, name := range subgraphs {
		fmt.Fprintf(&sdl, " %s @join__graph(name: %q, url: \"\")", strings.ToUpper(name), name)
	}
	sdl.WriteString(" }\n")
	for _, name := range append([]string{"Query", "Mutation", "Subscription"}, types...) {
		sdl.WriteString("type " + name)
		for _, sg := range subgraphs {
			fmt.Fprintf(&sdl, " @join__type(graph: %s)", strings.ToUpper(sg))
		}
		sdl.WriteString(" { id: ID }\n")
	}
	sg, err := supergraph.Load(sdl.String())
	if err != nil {
		n.t.Fatalf("%v\n%s", err, sdl.String())
	}
	n.plan.Supergraph = sg
}

func (n *notation) statement(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	words := strings.Fields(rest)
	p := n.plan
	switch verb {
	case "supergraph":
		subgraphs, types, _ := strings.Cut(rest, ":")
		n.supergraph(strings.Fields(subgraphs), strings.Fields(types))
	case "kind":
		p.Kind = map[string]operation.Kind{"mutation": operation.Mutation, "subscription": operation.Subscription}[rest]
	case "variable":
		v := operation.Variable{Name: words[0]}
		if len(words) > 1 {
			v.Literal = []byte(words[1])
		}
		p.Variables = append(p.Variables, v)
	case "fetch":
		n.fetchLine(words, rest)
	case "entities":
		i := strconv.Itoa(len(n.fetch.Entities))
		n.fetch.Entities = append(n.fetch.Entities, &plan.Entities{Key: "e" + i, Variable: "r" + i})
	case "represent":
		types, as, _ := strings.Cut(rest, " as ")
		e := n.fetch.Entities[len(n.fetch.Entities)-1]
		e.Representations = append(e.Representations, plan.Representation{Types: n.types(types), TypeName: as})
	case "at":
		n.at(rest)
	case "output":
		c := &cursor{n: n, s: rest}
		p.Output = c.output(p.Root, nil)
	default:
		n.t.Fatalf("unknown statement %q", line)
	}
}

func (n *notation) fetchLine(words []string, rest string) {
	f := &plan.Fetch{ID: len(n.plan.Fetches), Query: fmt.Sprintf("f%d", len(n.plan.Fetches)), Subgraph: -1}
	for i, sg := range n.plan.Supergraph.Subgraphs {
		if sg.Name == words[0] {
			f.Subgraph = i
		}
	}
	for i, w := range words {
		switch w {
		case "after":
			for _, d := range strings.Split(words[i+1], ",") {
				id, _ := strconv.Atoi(d)
				f.DependsOn = append(f.DependsOn, id)
			}
		case "with":
			for _, name := range strings.Split(words[i+1], ",") {
				index := slices.IndexFunc(n.plan.Variables, func(v operation.Variable) bool { return v.Name == name })
				f.Variables = append(f.Variables, plan.VariableRef{Name: name, Index: index})
			}
		}
	}
	if i := strings.IndexByte(rest, '{'); i >= 0 {
		f.Kind = n.plan.Kind
		c := &cursor{n: n, s: rest[i:]}
		f.Root = &plan.Target{}
		shape := n.plan.Root
		if at := slices.Index(words, "at"); at > 0 {
			f.Root.Path, shape = n.path(words[at+1])
		}
		f.Root.Selection = c.selection(shape, supergraph.NoObject)
	}
	n.fetch = f
	n.plan.Fetches = append(n.plan.Fetches, f)
}

func (n *notation) at(rest string) {
	path, rest, _ := strings.Cut(rest, " ")
	e := n.fetch.Entities[len(n.fetch.Entities)-1]
	t := &plan.Target{}
	var shape *plan.Shape
	t.Path, shape = n.path(path)
	c := &cursor{n: n, s: rest}
	for range e.Representations {
		t.Representations = append(t.Representations, c.representation(shape))
	}
	t.Selection = c.selection(shape, supergraph.NoObject)
	e.Targets = append(e.Targets, t)
}

// path reads the steps to a target, and returns the shape that they lead to.
func (n *notation) path(text string) (steps []plan.Step, shape *plan.Shape) {
	shape = n.plan.Root
	for _, name := range strings.Split(text, ".") {
		var types supergraph.TypeSet
		if i := strings.IndexByte(name, '>'); i > 0 {
			types, name = n.types(name[1:i]), name[i+1:]
		}
		slot := n.slot(shape, name)
		steps = append(steps, plan.Step{Slot: slot, Types: types})
		shape = n.child(shape, slot)
	}
	return steps, shape
}

func (n *notation) types(list string) (set supergraph.TypeSet) {
	for _, name := range strings.Split(list, "|") {
		if name != "" {
			set.Add(n.object(name))
		}
	}
	return set
}

func (n *notation) object(name string) supergraph.ObjectID {
	id := n.plan.Supergraph.Object(name)
	if id == supergraph.NoObject {
		n.t.Fatalf("unknown type %q", name)
	}
	return id
}

func (n *notation) shape() *plan.Shape {
	s := &plan.Shape{ID: len(n.shapes), Slots: make([]plan.Slot, 1)}
	n.shapes = append(n.shapes, s)
	n.names[s] = map[string]int{"__typename": 0}
	return s
}

func (n *notation) slot(s *plan.Shape, name string) int {
	i, ok := n.names[s][name]
	if !ok {
		i = len(s.Slots)
		n.names[s][name] = i
		key := name
		if name[0] == '_' {
			key = ""
		}
		s.Slots = append(s.Slots, plan.Slot{ResponseKey: key})
	}
	return i
}

func (n *notation) child(s *plan.Shape, slot int) *plan.Shape {
	if s.Slots[slot].Shape == nil {
		s.Slots[slot].Shape = n.shape()
	}
	return s.Slots[slot].Shape
}
