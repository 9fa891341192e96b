package execute

import (
	"slices"
	"strconv"

	"github.com/agora-supergraph/agora/router/plan"
)

// A subgraph's errors are carried over into the response: message and extensions as they were sent, the path
// in the client's terms, without locations, which are those of a text that the client never saw. On the way
// the nulls that an error explains are marked, so that null propagation doesn't report them again. All of
// this scans again what was validated already.

// subgraphError is one error of an answer; ranges of its JSON, nil where absent.
type subgraphError struct {
	message, path, extensions []byte
}

// carry takes over the errors of an answer.
func (s *state) carry(f *fetchState, a *answer) {
	everything := false
	items(a.errors, func(_ int, item []byte) {
		e := parseError(item)
		if s.cfg.SubgraphErrors.Redact {
			s.logRedacted(f, &e)
		}
		if !s.carryOne(f, &e) {
			s.writeError(f, &e, s.scope(f))
			everything = true
		}
	})
	if everything || !a.data {
		s.explainAll(f)
	}
}

func parseError(item []byte) (e subgraphError) {
	if item[0] != '{' {
		return e
	}
	members(item, func(key, value []byte) {
		switch string(key) {
		case "message":
			if value[0] == '"' {
				e.message = value
			}
		case "path":
			if value[0] == '[' {
				e.path = value
			}
		case "extensions":
			if value[0] == '{' {
				e.extensions = value
			}
		}
	})
	return e
}

// carryOne carries over an error that has a path. It returns false if the path leads nowhere.
func (s *state) carryOne(f *fetchState, e *subgraphError) bool {
	path := segments(e.path)
	if len(path) == 0 {
		return false
	}
	if f.fetch.Root != nil {
		if fieldOf(f.fetch.Root.Selection, []byte(path[0].key)) < 0 {
			return false
		}
		s.carryEntity(f, e, 0, 0, path)
		return true
	}
	i := entitiesOf(f.fetch.Entities, []byte(path[0].key))
	if i < 0 || len(path) < 2 || path[1].key != "" || path[1].index >= len(f.represented[i].sent) {
		return false
	}
	s.carryEntity(f, e, i, path[1].index, path[2:])
	return true
}

// carryEntity carries over an error of one entity to all objects that asked for it.
func (s *state) carryEntity(f *fetchState, e *subgraphError, i, n int, path []segment) {
	r, targets := &f.represented[i], f.targets(i)
	if f.places == nil {
		f.places = make([]*atlas, len(f.represented))
	}
	if f.places[i] == nil {
		f.places[i] = s.locate(targets)
	}
	var all []asked
	for at := r.sent[n].first; at >= 0; at = r.objects[at].next {
		o := &r.objects[at]
		for _, at := range f.places[i].byBase[o.base] {
			all = append(all, asked{at, o})
		}
		if f.fetch.Root == nil {
			s.explainUnanswered(targets[o.target].Selection, o.base)
		}
	}
	slices.SortFunc(all, func(a, b asked) int { return a.at - b.at })
	for written, a := range all {
		sel := targets[a.by.target].Selection
		place := visible(f.places[i].path(a.at))
		client := withField(place, sel)
		if len(path) > 0 {
			client = s.translate(sel, a.by.base, path, place)
		}
		if written < s.cfg.SubgraphErrors.MaxPaths {
			s.writeError(f, e, client)
		}
	}
}

// asked is one of the places that an object stands in: the index of its path.
type asked struct {
	at int
	by *asker
}

// explainUnanswered marks the fields of an entity that didn't come at all, along with the one in error: null
// has spread to the entity itself in the subgraph.
func (s *state) explainUnanswered(sel *plan.Selection, base int) {
	for i := range sel.Fields {
		slot := sel.Fields[i].Slot
		if slot != plan.TypeSlot && s.arena.words[base+slot] == absent {
			s.arena.words[base+slot] = explained
		}
	}
}

// translate follows a path of a subgraph's answer from the object at base and appends the client's path to
// prefix. The null that it meets is marked as explained; behind it the path goes on by the plan alone.
func (s *state) translate(sel *plan.Selection, base int, path, prefix []segment) []segment {
	client, at := prefix[:len(prefix):len(prefix)], -1
	for i, seg := range path {
		switch {
		case seg.key == "" && at >= 0:
			client = append(client, seg)
			at = s.item(at, seg.index)
		case seg.key == "":
			client = append(client, seg)
		default:
			if i > 0 && at >= 0 {
				base = s.child(at)
			}
			n := -1
			if sel != nil {
				n = fieldOf(sel, []byte(seg.key))
			}
			if n < 0 {
				return visible(client)
			}
			f := &sel.Fields[n]
			client = append(client, named(sel.Shape.Slots[f.Slot].ResponseKey))
			at = -1
			if base >= 0 && f.Slot != plan.TypeSlot {
				at = base + f.Slot
			}
			base, sel = -1, f.Selection
		}
		if at >= 0 && s.arena.words[at] <= explained {
			s.arena.words[at] = explained
			at = -1
		}
	}
	return visible(client)
}

// named is the segment of a response key; one that clients don't see ends the visible path.
func named(key string) segment {
	if key == "" {
		return segment{index: -1}
	}
	return segment{key: key}
}

// item is the index in words of an item of the list at the given index, or -1.
func (s *state) item(at, i int) int {
	if w := s.arena.words[at]; w.kind() == list && i < w.length() {
		return w.base() + i
	}
	return -1
}

// child is the base of the object at the given index in words, or -1.
func (s *state) child(at int) int {
	if w := s.arena.words[at]; w.kind() == object {
		return w.base()
	}
	return -1
}

// writeError records a subgraph's error with a path of the client.
func (s *state) writeError(f *fetchState, e *subgraphError, path []segment) {
	policy := &s.cfg.SubgraphErrors
	message := e.message
	if policy.Redact || message == nil {
		message = []byte(`"Subgraph error"`)
	}
	s.open(f, message, path)
	b := append(s.errors.json, `,"extensions":{`...)
	code, service := false, policy.OmitServiceName
	if e.extensions != nil {
		members(e.extensions, func(key, value []byte) {
			code = code || string(key) == "code"
			if string(key) == "serviceName" {
				if policy.OmitServiceName {
					return
				}
				service = true
			}
			if policy.Redact && string(key) != "code" && string(key) != "serviceName" {
				return
			}
			b = append(append(append(b, '"'), key...), '"', ':')
			b = append(append(b, value...), ',')
		})
	}
	if !code {
		b = append(b, `"code":"DOWNSTREAM_SERVICE_ERROR",`...)
	}
	if !service {
		b = append(appendString(append(b, `"serviceName":`...), s.serviceName(f.fetch)), ',')
	}
	// Every way here has written one member at least: the last comma goes.
	b[len(b)-1] = '}'
	s.errors.json = b
	s.close(f)
}

// segments parses a path. It is nil if there is none or it is no path.
func segments(b []byte) (path []segment) {
	if b == nil {
		return nil
	}
	good := true
	items(b, func(_ int, item []byte) {
		if item[0] == '"' && len(item) > 2 {
			path = append(path, segment{key: string(unescaped(item[1 : len(item)-1]))})
			return
		}
		n, err := strconv.Atoi(string(item))
		good = good && err == nil && n >= 0
		path = append(path, segment{index: n})
	})
	if !good {
		return nil
	}
	return path
}

// items visits the items of a list that was scanned already.
func items(b []byte, visit func(i int, item []byte)) {
	i := skipSpace(b, 1)
	if b[i] == ']' {
		return
	}
	for n, more := 0, true; more; n++ {
		end := scanValue(b, i, len(b))
		visit(n, b[i:end])
		i, more = scanNext(b, end, ']')
	}
}

// members visits the members of an object that was scanned already.
func members(b []byte, visit func(key, value []byte)) {
	i := skipSpace(b, 1)
	if b[i] == '}' {
		return
	}
	for more := true; more; {
		start, keyEnd, at := scanKey(b, i)
		end := scanValue(b, at, len(b))
		visit(b[start:keyEnd], b[at:end])
		i, more = scanNext(b, end, '}')
	}
}
