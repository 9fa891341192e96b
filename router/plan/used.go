package plan

// used lists which of the views that arrived are needed: the first, if nothing is needed of any.
func (sol *solution) used(arrived int) []int {
	seen := make([]bool, arrived)
	mark := func(i int) {
		if i >= 0 && i < arrived {
			seen[i] = true
		}
	}
	sol.picked.mark(mark)
	for i := range sol.entries {
		sol.entries[i].mark(mark)
	}
	var out []int
	for i, is := range seen {
		if is {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		out = append(out, 0)
	}
	return out
}

func (p *gathered) mark(mark func(int)) {
	mark(p.typed)
	for i := range p.choices {
		c := &p.choices[i]
		for _, v := range c.views {
			mark(v)
		}
		if c.own != nil {
			c.own.requires.mark(mark)
			c.own.mark(mark)
		}
	}
}

func (in *entering) mark(mark func(int)) {
	mark(in.typed)
	for _, k := range in.keys {
		k.picked.mark(mark)
	}
}
