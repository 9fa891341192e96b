package responsecache_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agora-supergraph/agora/router/responsecache"
)

func TestEntriesEndWithTheirTime(t *testing.T) {
	for _, test := range []struct {
		name   string
		header http.Header
		hint   responsecache.Hint
		lives  time.Duration
	}{
		{"the subgraph's default", nil, responsecache.Hint{}, 60 * time.Second},
		{"a hint", nil, responsecache.Hint{MaxAge: 10 * time.Second}, 10 * time.Second},
		{"never", nil, responsecache.Hint{Never: true}, 0},
		{"the header", http.Header{"Cache-Control": {"max-age=20"}}, responsecache.Hint{}, 20 * time.Second},
		{"the header for shared caches", http.Header{"Cache-Control": {"s-maxage=30, max-age=20"}}, responsecache.Hint{}, 30 * time.Second},
		{"the least of both", http.Header{"Cache-Control": {"max-age=20"}}, responsecache.Hint{MaxAge: 10 * time.Second}, 10 * time.Second},
		{"what is left of it", http.Header{"Cache-Control": {"max-age=20"}, "Age": {"15"}}, responsecache.Hint{}, 5 * time.Second},
		{"no-store", http.Header{"Cache-Control": {"no-store, max-age=20"}}, responsecache.Hint{}, 0},
		{"an age that is none", http.Header{"Cache-Control": {"max-age=soon"}}, responsecache.Hint{}, 0},
		{"a cookie", http.Header{"Set-Cookie": {"a=b"}}, responsecache.Hint{}, 0},
		{"what varies by anything", http.Header{"Vary": {"*"}}, responsecache.Hint{}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := usual()
				cfg.Subgraphs["goods"].Hints["Product"] = test.hint
				s := open(t, cfg)
				s.header = test.header
				c := s.anyone()
				c.expect(t, lamp, isLamp, "goods product 1")
				if test.lives > 0 {
					time.Sleep(test.lives - time.Millisecond)
					c.expect(t, lamp, isLamp)
					time.Sleep(time.Millisecond)
				}
				c.expect(t, lamp, isLamp, "goods product 1")
			})
		})
	}
}

func TestTheComposedDirectiveCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := usual()
		cfg.Subgraphs["goods"] = responsecache.Subgraph{}
		c := open(t, cfg).anyone()
		c.expect(t, lamp, isLamp, "goods product 1")
		c.expect(t, lamp, isLamp, "goods product 1")
		const motto = `{"data":{"motto":"more light"}}`
		c.expect(t, `{ motto }`, motto, "goods motto")
		time.Sleep(59 * time.Second)
		c.expect(t, `{ motto }`, motto)
		time.Sleep(time.Second)
		c.expect(t, `{ motto }`, motto, "goods motto")
	})
}

func TestWhatIsOldIsGivenOnceMoreWhileItIsFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := usual()
		goods := cfg.Subgraphs["goods"]
		goods.StaleWhileRevalidate = 30 * time.Second
		cfg.Subgraphs["goods"] = goods
		s := open(t, cfg)
		c := s.anyone()
		c.expect(t, lamp, isLamp, "goods product 1")
		s.names["1"] = "Light"
		time.Sleep(70 * time.Second)
		began, wait := s.holdAnswers()
		for range 3 {
			got, header := c.ask(lamp)
			if got != isLamp || header.Get("Agora-Cache") != "hits=0, stale=1, misses=0" || header.Get("Cache-Control") != "public, no-cache" {
				t.Errorf("got %s %v", got, header)
			}
		}
		<-began
		s.answerAtOnce()
		close(wait)
		synctest.Wait()
		if sent := s.requests(); len(sent) != 1 { // one refresh for all
			t.Errorf("sent %q", sent)
		}
		c.expect(t, lamp, isLight)
		time.Sleep(91 * time.Second) // neither fresh nor stale
		c.expect(t, lamp, isLight, "goods product 1")
	})
}

func TestAClientReadsWhatItHasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, usual())
		ada, other := s.user("ada"), s.anyone()
		const motto = `{"data":{"motto":"more light"}}`
		other.expect(t, `{ motto }`, motto, "goods motto")
		ada.expect(t, rename, renamed, "goods rename 1")
		// A service may still be at the event: what ada reads comes from it.
		ada.expect(t, `{ motto }`, motto, "goods motto")
		other.expect(t, `{ motto }`, motto)
		time.Sleep(5 * time.Second)
		ada.expect(t, `{ motto }`, motto)

		header := other.expect(t, rename, renamed, "goods rename 1")
		if other.header.Set(responsecache.WroteHeader, header.Get(responsecache.WroteHeader)); other.header.Get(responsecache.WroteHeader) == "" {
			t.Error("no token")
		}
		other.expect(t, `{ motto }`, motto, "goods motto")
		s.anyone().expect(t, `{ motto }`, motto)
		other.header.Set(responsecache.WroteHeader, "made up")
		other.expect(t, `{ motto }`, motto)
	})
}

func TestTheClientIsToldHowOldItsAnswerIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, usual()).anyone()
		c.expect(t, lampStock, isTen, "goods product 1", "stock _entities 1")
		time.Sleep(15 * time.Second)
		header := c.expect(t, lampStock, isTen)
		if header.Get("Age") != "15" || header.Get("Cache-Control") != "public, max-age=60" {
			t.Errorf("%v", header)
		}
	})
}
