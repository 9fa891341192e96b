package supergraph

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// loadPresences reads join__type (and join__owner of v0.1): which subgraphs know a type.
func (l *loader) loadPresences() error {
	l.owners = map[string]int{}
	for _, t := range l.sg.Types {
		def := l.defs[t.Name]
		for _, d := range def.Directives {
			switch l.specName(d.Name) {
			case "join__owner":
				g, err := l.graph(d)
				if err != nil {
					return fmt.Errorf("%s: %w", t.Name, err)
				}
				l.owners[t.Name] = g
				l.present(t, g)
			case "join__type":
				g, err := l.graph(d)
				if err != nil {
					return fmt.Errorf("%s: %w", t.Name, err)
				}
				if g < 0 {
					return fmt.Errorf("%s: @%s names no subgraph", t.Name, d.Name)
				}
				p := l.present(t, g)
				p.InterfaceObject = p.InterfaceObject || boolArgument(d, "isInterfaceObject", false)
			}
		}
	}
	if l.joinVersion() == "0.1" {
		l.presentEverywhere()
	}
	return nil
}

func (l *loader) joinVersion() string {
	for _, k := range l.links {
		if k.spec == "join" {
			return k.version
		}
	}
	return ""
}

func (l *loader) present(t *Type, g int) *Presence {
	if t.In[g] == nil {
		t.In[g] = &Presence{Subgraph: g}
	}
	return t.In[g]
}

// presentEverywhere gives types without any join directive to all subgraphs: join v0.1 does not say who knows
// a value type or a root type. Only paths that really lead there are ever taken.
func (l *loader) presentEverywhere() {
	for _, t := range l.sg.Types {
		known := strings.HasPrefix(t.Name, "__")
		for _, p := range t.In {
			known = known || p != nil
		}
		for g := range l.sg.Subgraphs {
			if !known {
				l.present(t, g)
			}
		}
	}
}

// loadPossible computes runtime types: over the supergraph, and per subgraph from join__implements and
// join__unionMember. Where a version of join has no such directive, members that a subgraph knows count.
func (l *loader) loadPossible() error {
	for _, t := range l.sg.Types {
		switch t.Kind {
		case ast.Object:
			t.Possible.Add(t.Object)
			for _, i := range l.allInterfaces(t) {
				i.Possible.Add(t.Object)
			}
		case ast.Union:
			for _, name := range l.defs[t.Name].Types {
				m := l.sg.types[name]
				if m == nil || m.Kind != ast.Object {
					return fmt.Errorf("union %s has the member %s, which is no object type of the supergraph", t.Name, name)
				}
				t.Possible.Add(m.Object)
			}
		}
	}
	for _, t := range l.sg.Types {
		for g, p := range t.In {
			if p == nil {
				continue
			}
			switch {
			case t.Kind == ast.Object || p.InterfaceObject:
				p.Possible = t.Possible
			case t.Kind == ast.Union:
				p.Possible = l.members(t, g)
			default:
				p.Possible = l.implementers(t, g)
			}
		}
	}
	return nil
}

// allInterfaces are the interfaces of a type and theirs.
func (l *loader) allInterfaces(t *Type) []*Type {
	seen := map[*Type]bool{}
	var out []*Type
	var walk func(t *Type)
	walk = func(t *Type) {
		for _, i := range t.Interfaces {
			if !seen[i] {
				seen[i] = true
				out = append(out, i)
				walk(i)
			}
		}
	}
	walk(t)
	return out
}

func (l *loader) members(t *Type, g int) TypeSet {
	var said, known TypeSet
	any := false
	for _, d := range l.defs[t.Name].Directives {
		if l.specName(d.Name) != "join__unionMember" {
			continue
		}
		any = true
		member := l.sg.types[stringArgument(d, "member")]
		if l.graphs[stringArgument(d, "graph")] == g && member != nil && member.Object != NoObject {
			said.Add(member.Object)
		}
	}
	if any {
		return said
	}
	for id := range t.Possible.All() {
		if l.sg.byObject[id].In[g] != nil {
			known.Add(id)
		}
	}
	return known
}

func (l *loader) implementers(t *Type, g int) TypeSet {
	var out TypeSet
	for id := range t.Possible.All() {
		object := l.sg.byObject[id]
		if object.In[g] != nil && l.implementsIn(object, t, g) {
			out.Add(id)
		}
	}
	return out
}

// implementsIn reports whether a subgraph says that an object type implements an interface. In SDL that names
// no implementations per subgraph, knowing both is enough.
func (l *loader) implementsIn(object, i *Type, g int) bool {
	any := false
	for _, d := range l.defs[object.Name].Directives {
		if l.specName(d.Name) != "join__implements" {
			continue
		}
		any = true
		if l.graphs[stringArgument(d, "graph")] == g && stringArgument(d, "interface") == i.Name {
			return true
		}
	}
	return !any
}
