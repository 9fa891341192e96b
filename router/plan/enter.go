package plan

import (
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// enter finds the keys with which objects of an entry's types get into its subgraph, from what the views at
// the position can tell.
func (s *solver) enter(st *state, e entry) (*entering, *unreachable) {
	in := &entering{entry: e, view: s.entered(e), typed: -1}
	if e.root {
		in.cost = cost{}.request(e.subgraph)
		return in, nil
	}
	for _, types := range s.keyClasses(e) {
		k, missing := s.key(st, e, types)
		if missing != nil {
			return nil, missing
		}
		in.keys = append(in.keys, k)
		in.before = in.before.beside(k.picked.cost)
	}
	if in.partial = !st.level.live.SubsetOf(e.types); in.partial || e.as == nil {
		index, missing := s.typeFrom(st, e.types)
		if missing != nil {
			return nil, missing
		}
		if in.typed = index; index >= 0 {
			in.before = in.before.beside(st.views[index].cost)
		}
	}
	in.cost = in.before.request(e.subgraph)
	return in, nil
}

// keyClasses splits the types of an entry by the type whose keys they enter with.
func (s *solver) keyClasses(e entry) []supergraph.TypeSet {
	if e.as != nil || e.types.Len() == 1 {
		return []supergraph.TypeSet{e.types}
	}
	var out []supergraph.TypeSet
	for id := range e.types.All() {
		out = append(out, supergraph.SetOf(id))
	}
	return out
}

// key chooses among the keys of a type: the cheapest to gather, the first of the SDL among equals.
func (s *solver) key(st *state, e entry, types supergraph.TypeSet) (keyed, *unreachable) {
	as := e.as
	if as == nil {
		as = s.sg.ObjectType(first(types))
	}
	var best keyed
	var missing *unreachable
	for _, k := range as.In[e.subgraph].Keys {
		if !k.Resolvable {
			continue
		}
		g := guarded{e.subgraph, k.Fields}
		if len(st.guard) > maxGuard {
			continue
		}
		st.guard = append(st.guard, g)
		picked, m := s.gather(st, s.wanted.ofSet(k.Fields), types)
		st.guard = st.guard[:len(st.guard)-1]
		if m != nil {
			missing = missing.or(m)
			continue
		}
		if best.key == nil || picked.cost.better(best.picked.cost, s.price) {
			best = keyed{types: types, key: k, picked: picked}
		}
	}
	if best.key != nil {
		return best, nil
	}
	if missing == nil {
		missing = &unreachable{types: types, why: "there is no key to enter by"}
	}
	out := *missing
	out.why = fmt.Sprintf("%s can't be entered in subgraph %s by any of its keys %s: %s",
		as.Name, s.sg.Subgraphs[e.subgraph].Name, keyTexts(as.In[e.subgraph]), out.why)
	return best, &out
}

// maxGuard bounds how far requires lead to requires.
const maxGuard = 32

func keyTexts(p *supergraph.Presence) string {
	var texts []string
	for _, k := range p.Keys {
		if k.Resolvable {
			texts = append(texts, fmt.Sprintf("%q", k.Fields.Text))
		}
	}
	return strings.Join(texts, ", ")
}

// why says, for people, why a field can't be met.
func (s *solver) why(w *want, class supergraph.TypeSet) string {
	t := s.sg.ObjectType(first(class))
	f := t.Field(w.name)
	if f == nil {
		return "the field is not known"
	}
	var reasons []string
	for g, src := range f.In {
		if src == nil {
			continue
		}
		name := s.sg.Subgraphs[g].Name
		switch p := src.As.In[g]; {
		case src.Overridden:
			reasons = append(reasons, name+" has given it up to another subgraph")
		case !s.counts(src):
			reasons = append(reasons, fmt.Sprintf("in %s it is switched off by the override label %q", name, src.Label))
		case src.External:
			reasons = append(reasons, "in "+name+" it is external")
		case p == nil || !p.Resolvable():
			reasons = append(reasons, fmt.Sprintf("%s has no key of %s to enter by", name, src.As.Name))
		case src.Requires != nil:
			reasons = append(reasons, fmt.Sprintf("%s requires %q for it", name, src.Requires.Text))
		default:
			reasons = append(reasons, "no key leads to "+name)
		}
	}
	return strings.Join(reasons, "; ")
}
