package responsecache_test

import (
	"net/http"
	"testing"
)

const (
	lamp    = `{ product(id: "1") { name } }`
	isLamp  = `{"data":{"product":{"name":"Lamp"}}}`
	isLight = `{"data":{"product":{"name":"Light"}}}`
	rename  = `mutation { rename(id: "1", name: "Light") { product { id } } }`
	renamed = `{"data":{"rename":{"product":{"id":"1"}}}}`
	stocks  = `{ products { name stock } }`
)

func TestASecondReadAsksNobody(t *testing.T) {
	c := open(t, usual()).anyone()
	const want = `{"data":{"products":[{"name":"Lamp","stock":10},{"name":"Chair","stock":20},{"name":"Table","stock":30}]}}`
	header := c.expect(t, stocks, want, "goods products", "stock _entities 1 2 3")
	if got := header.Get("Agora-Cache"); got != "hits=0, stale=0, misses=4" {
		t.Errorf("Agora-Cache: %q", got)
	}
	header = c.expect(t, stocks, want)
	if got := header.Get("Agora-Cache"); got != "hits=4, stale=0, misses=0" {
		t.Errorf("Agora-Cache: %q", got)
	}
	if got := header.Get("Cache-Control"); got != "public, max-age=59" && got != "public, max-age=60" {
		t.Errorf("Cache-Control: %q", got)
	}
}

func TestOfABatchOnlyWhatIsMissingIsAsked(t *testing.T) {
	c := open(t, usual()).anyone()
	c.expect(t, `{ product(id: "2") { stock } }`, `{"data":{"product":{"stock":20}}}`, "goods product 2", "stock _entities 2")
	c.expect(t, `{ products { stock } }`, `{"data":{"products":[{"stock":10},{"stock":20},{"stock":30}]}}`, "goods products", "stock _entities 1 3")
	c.expect(t, `{ products { stock } }`, `{"data":{"products":[{"stock":10},{"stock":20},{"stock":30}]}}`)
}

func TestErrorsAreNotKeptAndStandAtTheirPlace(t *testing.T) {
	s := open(t, usual())
	c := s.anyone()
	c.expect(t, `{ product(id: "1") { stock } }`, `{"data":{"product":{"stock":10}}}`, "goods product 1", "stock _entities 1")
	s.fail["3"] = true
	const want = `{"errors":[{"message":"no stock of 3","path":["products",2,"stock"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","serviceName":"stock"}}],` +
		`"data":{"products":[{"stock":10},{"stock":20},{"stock":null}]}}`
	header := c.expect(t, `{ products { stock } }`, want, "goods products", "stock _entities 2 3")
	if got := header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %q", got)
	}
	// What came beside an error is not kept either.
	c.expect(t, `{ products { stock } }`, want, "stock _entities 2 3")
	c.ask(`{ broken motto }`)
	c.expect(t, `{ broken motto }`, `{"errors":[{"message":"broken","path":["broken"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","serviceName":"goods"}}],`+
		`"data":{"broken":null,"motto":"more light"}}`, "goods broken", "goods motto")
}

func TestWhatGoesToTheSubgraphIsInTheKey(t *testing.T) {
	c := open(t, usual()).anyone()
	c.expect(t, lamp, isLamp, "goods product 1")
	c.header = http.Header{"Accept-Language": {"de"}}
	c.expect(t, lamp, `{"data":{"product":{"name":"de:Lamp"}}}`, "goods product 1")
	c.header = http.Header{"Authorization": {"Bearer x"}} // left out of the key by the configuration
	c.expect(t, lamp, isLamp)
}
