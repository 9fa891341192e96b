package execute

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/transport"
)

// overHTTP serves a transport's answers over HTTP.
func overHTTP(t testing.TB, of transport.Transport) *transport.HTTP {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		// {"query":"f0","variables":{…}}: what the tests' subgraphs read.
		q, v := string(body[len(`{"query":"`):len(`{"query":"`)+2]), body[len(`{"query":"f0","variables":`):len(body)-1]
		resp, err := of.Send(r.Context(), &transport.Request{Query: q, Body: body, Variables: v})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(resp.Body)
	}))
	t.Cleanup(server.Close)
	h, err := transport.NewHTTP(transport.HTTPConfig{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func TestTheSameBytesOverHTTPAndInProcess(t *testing.T) {
	world := &shop{users: 5, products: 8}
	var got [2]string
	for i, tr := range []transport.Transport{world, overHTTP(t, world)} {
		x, p := wide(t, tr)
		resp := x.Execute(context.Background(), p, &Request{})
		got[i] = string(resp.Body)
		resp.Release()
	}
	if diff := cmp.Diff(got[0], got[1]); diff != "" {
		t.Errorf("responses (-in process +HTTP):\n%s", diff)
	}
}

// BenchmarkExecuteWideHTTP includes the subgraphs' side of HTTP.
func BenchmarkExecuteWideHTTP(b *testing.B) {
	stub := &replay{from: &shop{users: 8, products: 12}, answers: map[string]*transport.Response{}}
	x, p := wide(b, overHTTP(b, stub))
	x.Execute(b.Context(), p, &Request{}).Release()
	measure(b, func() { x.Execute(b.Context(), p, &Request{}).Release() })
}
