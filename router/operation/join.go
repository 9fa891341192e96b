package operation

import (
	"container/heap"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// sequence is a selection set in the making: nodes in the order in which the text leads to them, each for types
// of its own. Nodes with one identity ask the same of different types.
type sequence struct {
	nodes      []*node
	identities []string
}

func (s *sequence) add(d *node, identity string) {
	s.nodes = append(s.nodes, d)
	s.identities = append(s.identities, identity)
}

// join makes one node of those that ask the same, wherever no type sees its keys in another order by that. Types
// that agree on the order share all that they have in common; where they don't, what comes first stays first.
func (s *sequence) join() []*node {
	index := map[string]int{}
	for _, identity := range s.identities {
		if _, ok := index[identity]; !ok {
			index[identity] = len(index)
		}
	}
	if len(index) == len(s.nodes) {
		return s.nodes
	}
	if nodes := s.joinAll(index); nodes != nil {
		return nodes
	}
	return s.joinInPlace()
}

// joinAll joins every two nodes that ask the same, and sorts the result topologically: for each type, what
// followed must still follow. It returns nil if two types disagree on the order.
func (s *sequence) joinAll(index map[string]int) []*node {
	nodes := make([]*node, len(index))
	after := make([][]int, len(index))
	waits := make([]int, len(index))
	last := map[supergraph.ObjectID]int{}
	drawn := map[[2]int]bool{}
	for i, d := range s.nodes {
		at := index[s.identities[i]]
		if nodes[at] == nil {
			nodes[at] = &node{field: d.field, denied: d.denied, deferred: d.deferred, below: d.below}
		}
		nodes[at].types = nodes[at].types.Union(d.types)
		for id := range d.types.All() {
			before, ok := last[id]
			last[id] = at
			if !ok || drawn[[2]int{before, at}] {
				continue
			}
			drawn[[2]int{before, at}] = true
			after[before] = append(after[before], at)
			waits[at]++
		}
	}
	var ready ascending
	for at, n := range waits {
		if n == 0 {
			ready = append(ready, at)
		}
	}
	sorted := make([]*node, 0, len(nodes))
	for len(ready) > 0 {
		at := heap.Pop(&ready).(int)
		sorted = append(sorted, nodes[at])
		for _, next := range after[at] {
			if waits[next]--; waits[next] == 0 {
				heap.Push(&ready, next)
			}
		}
	}
	if len(sorted) < len(nodes) {
		return nil
	}
	return sorted
}

// joinInPlace joins a node to an earlier one only if none of its types has anything in between.
func (s *sequence) joinInPlace() []*node {
	var out []*node
	last := map[supergraph.ObjectID]int{}
	alike := map[string][]int{}
	for i, d := range s.nodes {
		at := -1
		for _, candidate := range alike[s.identities[i]] {
			if nothingAfter(candidate, d.types, last) {
				at = candidate
				break
			}
		}
		if at < 0 {
			at = len(out)
			out = append(out, d)
			alike[s.identities[i]] = append(alike[s.identities[i]], at)
		} else {
			out[at].types = out[at].types.Union(d.types)
		}
		for id := range d.types.All() {
			last[id] = at
		}
	}
	return out
}

func nothingAfter(at int, types supergraph.TypeSet, last map[supergraph.ObjectID]int) bool {
	for id := range types.All() {
		if before, ok := last[id]; ok && before > at {
			return false
		}
	}
	return true
}

// ascending is a heap of numbers.
type ascending []int

func (a ascending) Len() int           { return len(a) }
func (a ascending) Less(i, j int) bool { return a[i] < a[j] }
func (a ascending) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *ascending) Push(x any)        { *a = append(*a, x.(int)) }
func (a *ascending) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}
