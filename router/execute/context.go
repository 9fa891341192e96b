package execute

import (
	"bytes"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

// A variable of a request has one value, but where arguments come from contexts, each object has its own. Such a
// fetch goes in rounds, a request each: a round asks about the objects that have the values of the first one that
// was in no earlier round. What waits for the fetch waits for the last round.

// contextual is what the rounds of a fetch know of each other.
type contextual struct {
	// values are this round's variables, as members of a JSON object; empty before its first object.
	values []byte
	// done are those of earlier rounds.
	done map[string]struct{}
	// more says that objects with other values wait.
	more bool
	// rest says that too many values wait: this round takes them all, to fail them.
	rest bool
	// above are the objects on the way to the one being asked, by depth.
	above []int
	// own are the variables of the object being asked.
	own []byte
	// spent are the answers of earlier rounds: the tree refers to their bytes.
	spent []*transport.Response
}

// inRound reports whether the object at base is asked about in this round.
func (w *walk) inRound(base int) bool {
	c := w.f.contextual
	c.own = c.own[:0]
	for i := range w.f.fetch.Contexts {
		variable := &w.f.fetch.Contexts[i]
		c.own = appendName(c.own, variable.Name, i == 0)
		value := w.contextValue(variable)
		var fits bool
		if c.own, fits = w.appendContext(c.own, value); !fits || value.isNull() && variable.NonNull {
			w.missing(base, -1, max(value, null))
			return false
		}
	}
	if _, done := c.done[string(c.own)]; done {
		return false
	}
	if len(c.values) == 0 {
		c.values = append(c.values, c.own...)
	}
	if !c.rest && !bytes.Equal(c.own, c.values) {
		c.more = true
		return false
	}
	return true
}

// contextValue is the value of a variable for the object that the walk has come to.
func (w *walk) contextValue(variable *plan.Context) word {
	for i := range variable.Sources {
		src := &variable.Sources[i]
		if v := w.state.arena.follow(w.f.contextual.above[src.Depth], src.Path); v != absent {
			return v
		}
	}
	return null
}

// follow is the value to which a path leads from the object at base; absent if it is not for objects like that.
func (a *arena) follow(base int, path []plan.Step) word {
	for {
		step := &path[0]
		if step.Types != nil && !step.Types.Has(a.typeOf(base)) {
			return absent
		}
		v := a.words[base+step.Slot]
		if path = path[1:]; len(path) == 0 || v.kind() != object {
			return max(v, null)
		}
		base = v.base()
	}
}

// appendContext writes the value of a variable. It returns false for one that can't be: no leaf.
func (w *walk) appendContext(b []byte, v word) ([]byte, bool) {
	switch {
	case v.isNull():
		return append(b, "null"...), true
	case v.isLeaf():
		return append(b, w.state.arena.raw(v)...), true
	}
	return b, false
}

// nextRound makes a fetch ready to be asked about the objects that wait. It returns false if there are none.
func (f *fetchState) nextRound() bool {
	c := f.contextual
	if c == nil || !c.more {
		return false
	}
	if c.done == nil {
		c.done = map[string]struct{}{}
	}
	c.done[string(c.values)] = struct{}{}
	c.values, c.more = c.values[:0], false
	if f.response != nil {
		c.spent = append(c.spent, f.response)
	}
	for i := range f.represented {
		f.represented[i].reset()
	}
	f.response, f.err, f.places = nil, nil, nil
	return true
}

// again starts the next round of a fetch, if there is one.
func (s *state) again(f *fetchState) bool {
	if !f.nextRound() {
		return false
	}
	if len(f.contextual.done) < s.cfg.MaxContexts {
		f.started = false
		return true
	}
	f.contextual.rest = true
	if s.writeRequest(f) {
		s.fail(f, tooManyContexts)
	}
	return false
}

func (c *contextual) release() {
	for _, r := range c.spent {
		r.Release()
	}
}
