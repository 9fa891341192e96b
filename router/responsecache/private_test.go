package responsecache_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/agora-supergraph/agora/router/responsecache"
)

func TestNobodySeesWhatIsAnotherOnes(t *testing.T) {
	for _, test := range []struct {
		name, query, want string
		asked             string
	}{
		{"by the hint for a type", `{ me { name } }`, `{"data":{"me":{"name":"I am NAME"}}}`, "goods me"},
		{"by @authenticated", `{ product(id: "1") { secret } }`, `{"data":{"product":{"secret":"for NAME"}}}`, "goods product 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, usual())
			for range 2 {
				asked := []string{test.asked}
				for range 2 {
					for _, name := range []string{"ada", "bob"} {
						s.user(name).expect(t, test.query, strings.ReplaceAll(test.want, "NAME", name), asked...)
					}
					asked = nil
				}
				if err := s.cache.Invalidate(t.Context(), responsecache.Target{Kind: "subgraph", Subgraph: "goods"}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestWhatIsPrivateIsNotKeptForNobody(t *testing.T) {
	c := open(t, usual()).anyone()
	for range 2 {
		c.expect(t, `{ me { name } }`, `{"data":{"me":{"name":"I am "}}}`, "goods me")
	}
}

func TestAnAnswerThatSaysItIsPrivateIsNotShared(t *testing.T) {
	for name, header := range map[string]http.Header{
		"by Cache-Control": {"Cache-Control": {"private, max-age=60"}},
		"by Vary":          {"Cache-Control": {"max-age=60"}, "Vary": {"Accept, authorization"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, usual())
			s.header = header
			ada, bob := s.user("ada"), s.user("bob")
			ada.expect(t, lamp, isLamp, "goods product 1") // nobody could know before
			ada.expect(t, lamp, isLamp, "goods product 1")
			ada.expect(t, lamp, isLamp)
			bob.expect(t, lamp, isLamp, "goods product 1")
			s.anyone().expect(t, lamp, isLamp, "goods product 1")
			s.anyone().expect(t, lamp, isLamp, "goods product 1")
		})
	}
}

func TestOneSubjectWithOtherScopesIsAnotherIdentity(t *testing.T) {
	s := open(t, usual())
	ada := s.user("ada")
	ada.expect(t, `{ me { name } }`, `{"data":{"me":{"name":"I am ada"}}}`, "goods me")
	staff := s.user("ada")
	staff.claims.Scopes = []string{"staff"}
	staff.expect(t, `{ me { name } }`, `{"data":{"me":{"name":"I am ada"}}}`, "goods me")
}

func TestSideBySideEachGetsItsOwn(t *testing.T) {
	s := open(t, usual())
	var clients sync.WaitGroup
	for _, name := range []string{"ada", "bob", "cyd", "dan"} {
		clients.Go(func() {
			for range 50 {
				if got, _ := s.user(name).ask(`{ me { name } }`); got != `{"data":{"me":{"name":"I am `+name+`"}}}` {
					t.Errorf("%s got %s", name, got)
				}
				if got, _ := s.anyone().ask(lamp); got != isLamp {
					t.Errorf("got %s", got)
				}
				if err := s.cache.Invalidate(t.Context(), responsecache.Target{Kind: "type", Type: "Customer"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
}
