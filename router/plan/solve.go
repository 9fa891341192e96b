package plan

import (
	"slices"
	"sort"
	"strconv"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// solver decides which subgraphs are entered at which positions.
//
// It works position by position. What is wanted at a position can be met by the views that arrive there on the
// path from the parent, and by entering further subgraphs, with a key, at a cost. The solver looks for the
// cheapest set of entries under which everything wanted is met, with all keys and requires that takes, and
// with everything wanted below. Sets are searched in depth: the first thing that is not met is branched on, by
// everything that could meet it, bounded by the best solution so far. Solutions are remembered by what is
// wanted and which views arrive, so that the work is polynomial in the size of the operation; a budget bounds
// the search at each position, after which the most promising branch alone is followed.
type solver struct {
	*graph
	// price is what a request to each subgraph costs.
	price []int
	memo  map[string]*solution
	// prefer is the subgraph that a mutation's last root field went to: its neighbour goes there, too, if it can.
	prefer int
	// once says that a root field may be asked of one subgraph only: asked of two, it would happen twice.
	once bool
	// work counts what remains of the budget of the whole operation.
	work int
}

// solution is the best way found to meet what is wanted at one position.
type solution struct {
	// entries are made in this order; their views follow the arrived ones.
	entries []entering
	picked  *gathered
	cost    cost
	// level is what was solved.
	level *level
	// missing says why there is no solution; nil if there is one.
	missing *unreachable
}

// entering is one entry, with what it sends.
type entering struct {
	entry
	view *view
	keys []keyed
	// typed is the index of the view that tells the runtime type; -1 if none is needed.
	typed int
	// partial says that not all objects at the position enter.
	partial bool
	// before is what it takes to know all that is sent, cost the request included.
	before, cost cost
}

// unreachable names a field that can't be met, and the entries that might change that.
type unreachable struct {
	name    string
	types   supergraph.TypeSet
	options []entry
	why     string
	below   *unreachable
}

// level is one position being solved.
type level struct {
	wants   *wants
	arrived []*view
	// live are the runtime types that objects here can have.
	live supergraph.TypeSet
	// root is the root type of the operation if this is its root.
	root bool
	// entered are views that have entered here already, for another part of the answer.
	entered []*view
	// away says that the operation's fields are to be met by entries made here: what has come already tells keys.
	away bool
}

// state is what is there before any entry is made.
func (l *level) state() *state {
	st := &state{level: l}
	for _, v := range l.arrived {
		st.views = append(st.views, placed{view: v})
	}
	for _, v := range l.entered {
		// Nothing that costs a request, but whoever takes a key from there waits for it.
		st.views = append(st.views, placed{view: v, cost: cost{depth: 1}, entered: true})
	}
	return st
}

// answers reports whether a view may answer what is wanted, besides telling keys.
func (l *level) answers(i int, w *want) bool {
	return !l.away || w.field == nil || i >= len(l.arrived)+len(l.entered)
}

const (
	// searchBudget bounds the sets of entries tried at one position before the search turns greedy.
	searchBudget = 256
	// patience bounds those tried in a row without finding anything better.
	patience = 64
	// workBudget bounds them over the whole operation.
	workBudget = 20000
)

// solve returns the best solution for objects at which the views arrive.
func (s *solver) solve(w *wants, arrived []*view) *solution {
	key := strconv.AppendInt(nil, int64(w.id), 36)
	for _, v := range arrived {
		key = append(key, '.')
		key = strconv.AppendInt(key, int64(v.id), 36)
	}
	if known, ok := s.memo[string(key)]; ok {
		if known == nil {
			return &solution{missing: &unreachable{why: "it requires itself"}}
		}
		return known
	}
	s.memo[string(key)] = nil
	live := arrived[0].types
	for _, v := range arrived[1:] {
		live = live.Intersect(v.types)
	}
	found := s.search(&level{wants: w, arrived: arrived, live: live})
	s.memo[string(key)] = found
	return found
}

// solveRoot solves the root of the operation, where nothing has arrived.
func (s *solver) solveRoot(w *wants, root supergraph.ObjectID) *solution {
	return s.search(&level{wants: w, live: supergraph.SetOf(root), root: true})
}

// search tries sets of entries.
func (s *solver) search(l *level) *solution {
	var best, failed *solution
	budget, since := searchBudget, 0
	tried := map[string]bool{}
	var try func(entries []entry)
	try = func(entries []entry) {
		if best != nil && (budget <= 0 || since > patience || s.work <= 0 || s.hopeless(entries, best)) || s.ctx.Err() != nil {
			return
		}
		if len(entries) > 1 {
			key := setKey(entries)
			if tried[key] {
				return
			}
			tried[key] = true
		}
		budget--
		since++
		s.work--
		found := s.evaluate(l, entries)
		options := found.alternatives()
		if found.missing == nil {
			if best == nil || found.cost.better(best.cost, s.price) {
				best, since = found, 0
			}
		} else {
			if failed == nil || len(found.entries) > len(failed.entries) {
				failed = found
			}
			options = found.missing.options
		}
		for _, o := range s.rank(l, options, entries) {
			try(append(slices.Clone(entries), o))
		}
	}
	try(s.forced(l))
	switch {
	case best != nil:
		best.level = l
		return best
	case failed != nil:
		return failed
	}
	return &solution{missing: &unreachable{why: "planning was cancelled"}}
}

// forced are the entries that no solution can do without: where one subgraph alone can meet something.
func (s *solver) forced(l *level) []entry {
	st := l.state()
	var out []entry
	for i := range l.wants.list {
		w := &l.wants.list[i]
		need := w.types.Intersect(l.live)
		if need.Empty() {
			continue
		}
		for _, class := range s.classes(st, w, need) {
			id := first(class)
			if !l.away && slices.ContainsFunc(l.arrived, func(v *view) bool { return s.local(v, id, w.name) != nil }) {
				continue
			}
			if only := s.others(st, w, class, nil); len(only) == 1 && (l.away || !slices.ContainsFunc(l.arrived, func(v *view) bool { return v.subgraph == only[0].subgraph })) {
				out = append(out, s.rank(l, only, out)...)
			}
		}
	}
	return out
}

// hopeless reports whether no set with these entries can be better than the best.
func (s *solver) hopeless(entries []entry, best *solution) bool {
	seen := map[int]bool{}
	least := 0
	for _, e := range entries {
		if !seen[e.subgraph] {
			seen[e.subgraph] = true
			least += s.price[e.subgraph]
		}
	}
	total := best.cost.total(s.price)
	return least > total || least == total && best.cost.depth <= 1
}

func setKey(entries []entry) string {
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = string(e.appendKey(nil))
	}
	sort.Strings(keys)
	var all []byte
	for _, k := range keys {
		all = append(append(all, k...), ',')
	}
	return string(all)
}

// rank orders options: what serves most of what is wanted first, then the cheaper subgraph, then its number.
// The first one is what a search without budget follows. Entries that are there already are left out.
func (s *solver) rank(l *level, options, entries []entry) []entry {
	type ranked struct {
		entry
		covers int
	}
	var out []ranked
	for _, o := range options {
		have := func(e entry) bool {
			return e.subgraph == o.subgraph && e.as == o.as && e.root == o.root && o.types.SubsetOf(e.types)
		}
		if slices.ContainsFunc(entries, have) || slices.ContainsFunc(out, func(r ranked) bool { return have(r.entry) }) {
			continue
		}
		out = append(out, ranked{o, s.covers(l, o)})
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].covers != out[j].covers {
			return out[i].covers > out[j].covers
		}
		if a, b := out[i].subgraph == s.prefer, out[j].subgraph == s.prefer; a != b {
			return a
		}
		if a, b := s.price[out[i].subgraph], s.price[out[j].subgraph]; a != b {
			return a < b
		}
		return out[i].subgraph < out[j].subgraph
	})
	only := make([]entry, len(out))
	for i, r := range out {
		only[i] = r.entry
	}
	return only
}

// covers counts the wants of a level that an entry's subgraph answers.
func (s *solver) covers(l *level, e entry) int {
	n := 0
	for i := range l.wants.list {
		w := &l.wants.list[i]
		for id := range w.types.All() {
			if e.types.Has(id) {
				if e.root && s.root(e.subgraph, id, w.name) != nil || !e.root && s.remote(e.subgraph, id, w.name) != nil {
					n++
				}
				break
			}
		}
	}
	return n
}

// alternatives are entries that might make a solution cheaper: other subgraphs for fields below which further
// requests are needed.
func (sol *solution) alternatives() []entry {
	if sol.missing != nil {
		return nil
	}
	var out []entry
	for i := range sol.picked.choices {
		c := &sol.picked.choices[i]
		if c.own != nil || c.child != nil && c.child.cost.depth > 0 {
			out = append(out, c.others...)
		}
	}
	return out
}

// evaluate makes the entries and meets what is wanted with the views that there are then.
func (s *solver) evaluate(l *level, entries []entry) *solution {
	st := l.state()
	sol := &solution{}
	pending := slices.Clone(entries)
	for len(pending) > 0 {
		var stuck *unreachable
		waiting := pending[:0:0]
		for _, e := range pending {
			in, missing := s.enter(st, e)
			if missing != nil {
				waiting = append(waiting, e)
				stuck = stuck.or(missing)
				continue
			}
			st.views = append(st.views, placed{view: in.view, cost: in.cost, entered: true})
			sol.entries = append(sol.entries, *in)
		}
		if len(waiting) == len(pending) {
			sol.missing = stuck
			return sol
		}
		pending = waiting
	}
	sol.picked, sol.missing = s.gather(st, l.wants, l.live)
	if sol.missing == nil {
		sol.cost = sol.picked.cost
	}
	return sol
}

// or adds the options of another thing that is missing.
func (u *unreachable) or(o *unreachable) *unreachable {
	if u == nil {
		return o
	}
	both := *u
	both.options = append(slices.Clone(u.options), o.options...)
	return &both
}

// cause adds why a field's own entry failed.
func (u *unreachable) cause(o *unreachable) {
	if u.below == nil {
		u.below = o.below
	}
	if u.below == nil && o.name != "" && o.name != u.name {
		u.why += ": " + o.name + " can't be had: " + o.why
	}
}
