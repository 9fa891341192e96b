package plan

// cost is what answering a selection takes. Requests counts, per subgraph, the requests that must be made one
// after the other: those that need not wait for each other can go together. Depth is the longest chain of
// requests over all subgraphs.
type cost struct {
	requests []uint16
	depth    int
}

// total is the figure that plans are compared by first.
func (c cost) total(price []int) int {
	sum := 0
	for g, n := range c.requests {
		sum += int(n) * price[g]
	}
	return sum
}

// beside is the cost of two things that don't wait for each other.
func (c cost) beside(o cost) cost {
	out := cost{requests: c.requests, depth: max(c.depth, o.depth)}
	for g, n := range o.requests {
		if g >= len(c.requests) || n > c.requests[g] {
			out.requests = merge(c.requests, o.requests, func(a, b uint16) uint16 { return max(a, b) })
			break
		}
	}
	return out
}

// before is the cost of one thing after the other.
func (c cost) before(o cost) cost {
	if o.depth == 0 {
		return c
	}
	if c.depth == 0 {
		return o
	}
	return cost{requests: merge(c.requests, o.requests, func(a, b uint16) uint16 { return a + b }), depth: c.depth + o.depth}
}

// request adds a request to a subgraph at the end.
func (c cost) request(subgraph int) cost {
	out := cost{requests: make([]uint16, max(len(c.requests), subgraph+1)), depth: c.depth + 1}
	copy(out.requests, c.requests)
	out.requests[subgraph]++
	return out
}

func merge(a, b []uint16, f func(a, b uint16) uint16) []uint16 {
	out := make([]uint16, max(len(a), len(b)))
	copy(out, a)
	for i, n := range b {
		out[i] = f(out[i], n)
	}
	return out
}

// better reports whether a plan of cost c is preferred to one of cost o.
func (c cost) better(o cost, price []int) bool {
	a, b := c.total(price), o.total(price)
	return a < b || a == b && c.depth < o.depth
}
