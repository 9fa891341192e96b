package execute

import (
	"net/http"

	"github.com/agora-supergraph/agora/router/plan"
)

// answer is what a subgraph's answer holds, besides the data that went into the slots.
type answer struct {
	// data says that data was an object.
	data bool
	// errors is the raw list of errors; nil if there is none, or none in it.
	errors []byte
}

// apply takes a fetch's answer into the tree and lets go those that waited for it.
func (s *state) apply(f *fetchState) {
	before := f.errors
	s.take(f)
	if f.observed != nil {
		s.observeEnd(f, before)
	}
	if s.req.Answered != nil && f.fetch.Subgraph != plan.Introspection {
		var header http.Header
		if f.response != nil {
			header = f.response.Header
		}
		s.req.Answered.Add(f.fetch.Subgraph, header, f.err != nil)
	}
	if f.contextual != nil && s.again(f) {
		return
	}
	s.end(f)
}

func (s *state) take(f *fetchState) {
	switch {
	case f.err != nil:
		s.fail(f, failureOf(f.err))
		return
	case f.response == nil:
		s.fail(f, noData)
		return
	case len(f.response.Body) > s.cfg.MaxAnswerBytes:
		s.fail(f, tooLarge)
		return
	}
	mark := len(s.arena.words)
	status := f.response.Status
	success := status >= 200 && status < 300
	a, ok := s.readAnswer(f)
	switch {
	case ok && (a.data || a.errors != nil):
		s.settle(f, &a, mark)
		if !success && a.errors == nil {
			s.reportFailure(f, statusFailure(status))
		}
		return
	case !ok:
		s.withdrawAll(f, mark)
	}
	switch {
	case s.reader.full:
		s.fail(f, tooLarge)
	case !success:
		s.fail(f, statusFailure(status))
	case ok:
		s.fail(f, noData)
	default:
		s.fail(f, notJSON)
	}
}

// settle deals with what is left of a well-formed answer, once its data is in place.
func (s *state) settle(f *fetchState, a *answer, mark int) {
	for i := range f.fetch.Entities {
		r := &f.represented[i]
		switch {
		case !r.listed && a.errors == nil && len(r.sent) > 0:
			s.reportEntities(f, i, noData)
			s.explainEntities(f, i)
		case r.listed && r.answered != len(r.sent):
			// Which entity is whose can't be known.
			s.withdrawEntities(f, i, mark)
			s.reportEntities(f, i, wrongCount)
		}
	}
	if a.errors != nil {
		s.carry(f, a)
	}
	if s.reader.misaligned {
		s.reportFailure(f, misaligned)
	}
	if s.reader.misfit {
		s.reportFailure(f, misfit)
	}
}

// readAnswer scans the whole answer. It returns false if that is no JSON object, or one of another form than
// GraphQL responses have, or if there is no room for it.
func (s *state) readAnswer(f *fetchState) (answer, bool) {
	var a answer
	r := &s.reader
	r.b, r.answer, r.fetch = f.response.Body, len(s.arena.answers), f.fetch.ID
	r.near, r.number = r.answer < 1<<answerBits && len(r.b) < 1<<lengthBits, word(r.answer)<<(offsetBits+lengthBits)
	r.mistyped, r.misaligned, r.misfit, r.full = 0, false, false, false
	s.arena.answers = append(s.arena.answers, r.b)
	s.origins = append(s.origins, f)
	s.arena.stack = s.arena.stack[:0]
	r.twins.begin()
	for i := range f.represented {
		f.represented[i].listed, f.represented[i].answered = false, 0
	}
	depth := s.cfg.MaxDepth
	i := skipSpace(r.b, 0)
	if i >= len(r.b) || r.b[i] != '{' {
		return a, false
	}
	if i = skipSpace(r.b, i+1); i < len(r.b) && r.b[i] == '}' {
		return a, skipSpace(r.b, i+1) == len(r.b)
	}
	for more := true; more; {
		start, end, next := scanKey(r.b, i)
		if end < 0 {
			return a, false
		}
		switch string(r.b[start:end]) {
		case "data":
			i, a.data = s.readData(f, next, depth-1)
		case "errors":
			if i = scanValue(r.b, next, depth-1); i >= 0 {
				var ok bool
				if a.errors, ok = errorItems(r.b[next:i]); !ok {
					return a, false
				}
			}
		default:
			i = scanValue(r.b, next, depth-1)
		}
		if i < 0 {
			return a, false
		}
		if i, more = scanNext(r.b, i, '}'); i < 0 {
			return a, false
		}
	}
	return a, skipSpace(r.b, i) == len(r.b)
}

// errorItems checks that scanned JSON can be the value of errors, and returns it if it holds any.
func errorItems(b []byte) ([]byte, bool) {
	switch {
	case b[0] == 'n', b[0] == '[' && b[skipSpace(b, 1)] == ']':
		return nil, true
	case b[0] == '[':
		return b, true
	}
	return nil, false
}

// readData reads the value of data; ok is false if that is null.
func (s *state) readData(f *fetchState, i, depth int) (next int, ok bool) {
	r := &s.reader
	if i < len(r.b) && r.b[i] == 'n' {
		return scanLiteral(r.b, i, "null"), false
	}
	if i >= len(r.b) || r.b[i] != '{' || depth < 1 {
		return -1, false
	}
	if f.fetch.Root != nil {
		return s.readEntity(f.root, &f.represented[0], 0, i, depth), true
	}
	return s.readEntityLists(f, i+1, depth-1), true
}

// readEntityLists reads the rest of the data of an entity fetch, from behind its brace.
func (s *state) readEntityLists(f *fetchState, i, depth int) int {
	b := s.reader.b
	if i = skipSpace(b, i); i < len(b) && b[i] == '}' {
		return i + 1
	}
	for more := true; more; {
		start, end, next := scanKey(b, i)
		if end < 0 {
			return -1
		}
		n := entitiesOf(f.fetch.Entities, b[start:end])
		if n >= 0 && next < len(b) && b[next] == '[' && !f.represented[n].listed {
			f.represented[n].listed = true
			i = s.readEntities(f, n, next+1, depth-1)
		} else {
			i = scanValue(b, next, depth)
		}
		if i < 0 {
			return -1
		}
		if i, more = scanNext(b, i, '}'); i < 0 {
			return -1
		}
	}
	return i
}

func entitiesOf(list []*plan.Entities, key []byte) int {
	for i, e := range list {
		if e.Key == string(key) {
			return i
		}
	}
	return -1
}

// readEntities reads the rest of a list of entities, from behind its bracket.
func (s *state) readEntities(f *fetchState, n, i, depth int) int {
	b, r := s.reader.b, &f.represented[n]
	r.compare(f.fetch.Entities[n].Targets)
	if i = skipSpace(b, i); i < len(b) && b[i] == ']' {
		return i + 1
	}
	for more := true; more; r.answered++ {
		if r.answered < len(r.sent) {
			i = s.readEntity(f.fetch.Entities[n].Targets, r, r.answered, i, depth)
		} else {
			i = scanValue(b, i, depth)
		}
		if i < 0 {
			return -1
		}
		if i, more = scanNext(b, i, ']'); i < 0 {
			return -1
		}
	}
	return i
}

// readEntity reads one entity, or the root fields, into the first object that asked, and copies it to the others.
func (s *state) readEntity(targets []*plan.Target, r *represented, n, i, depth int) int {
	rd := &s.reader
	first := &r.objects[r.sent[n].first]
	sel := targets[first.target].Selection
	if i >= len(rd.b) || rd.b[i] != '{' {
		end := scanValue(rd.b, i, depth)
		if end >= 0 && rd.b[i] != 'n' {
			for o := first; ; o = &r.objects[o.next] {
				rd.spoil(targets[o.target].Selection, o.base, notObject)
				if o.next < 0 {
					break
				}
			}
		}
		return end
	}
	whole := first.next >= 0 && s.arena.fresh(sel, first.base)
	end, ok := s.readInto(sel, first.base, i, depth)
	whole = whole && ok
	// The donor is an object that holds the whole answer to sel and nothing else of its fields.
	donor := first.base
	for at := first.next; at >= 0 && end >= 0; at = r.objects[at].next {
		o := &r.objects[at]
		to := targets[o.target].Selection
		fresh := s.arena.fresh(to, o.base)
		if !whole || !fresh || to != sel && !r.copies(o.target, first.target) {
			end, ok = s.readInto(to, o.base, i, depth)
			if fresh && ok && !whole {
				donor, sel, first, whole = o.base, to, o, true
			}
		} else if !s.arena.copyFields(sel, to, donor, o.base) {
			rd.full = true
			return -1
		}
	}
	return end
}

// readInto reads an entity into one object; ok is false if its type is wrong.
func (s *state) readInto(sel *plan.Selection, base, i, depth int) (end int, ok bool) {
	s.reader.mistyped = 0
	end = s.reader.object(sel, base, i+1, depth-1)
	why := s.reader.mistyped
	if why != 0 {
		s.reader.spoil(sel, base, why)
	}
	return end, why == 0
}
