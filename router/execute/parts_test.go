package execute

import (
	"testing"

	"github.com/agora-supergraph/agora/router/transport"
)

// executed is a request of widePlan whose fetches have all been answered.
func executed(b *testing.B) *state {
	stub := &replay{from: &shop{users: 8, products: 12}, answers: map[string]*transport.Response{}}
	x, p := wide(b, stub)
	s := x.begin(p, &Request{})
	s.run(b.Context())
	return s
}

func BenchmarkScan(b *testing.B) {
	body := executed(b).fetches[2].response.Body
	b.SetBytes(int64(len(body)))
	measure(b, func() {
		if scanValue(body, 0, 100) != len(body) {
			b.Fatal("no JSON")
		}
	})
}

func BenchmarkRead(b *testing.B) {
	s := executed(b)
	f := &s.fetches[2]
	b.SetBytes(int64(len(f.response.Body)))
	users, top := s.arena.words[root+1], s.arena.words[root+2]
	mark := len(s.arena.words)
	measure(b, func() {
		s.arena.words = s.arena.words[:mark]
		s.arena.answers, s.origins = s.arena.answers[:2], s.origins[:2]
		for _, list := range []word{users, top} {
			for i := range list.length() {
				// The reviews, which this fetch brings, are in the last slot but two.
				clearLists(&s.arena, s.arena.words[list.base()+i].base())
			}
		}
		if _, ok := s.readAnswer(f); !ok {
			b.Fatal("no answer")
		}
	})
}

func clearLists(a *arena, base int) {
	for i := base; i < base+8 && i < len(a.words); i++ {
		if a.words[i].kind() == list {
			a.words[i] = absent
		}
	}
}

func BenchmarkRepresentations(b *testing.B) {
	s := executed(b)
	f := &s.fetches[6]
	measure(b, func() {
		for i := range f.represented {
			f.represented[i].reset()
		}
		if !s.writeRequest(f) {
			b.Fatal("nothing to ask")
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	s := executed(b)
	w := writer{state: s, arena: &s.arena, limit: 1 << 30}
	w.object(s.plan.Output, root)
	b.SetBytes(int64(len(w.b)))
	measure(b, func() {
		w.b = w.b[:0]
		if !w.object(s.plan.Output, root) {
			b.Fatal("null")
		}
	})
}
