package serve_test

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/serve"
)

// naming answers with the id that a request has come to.
type naming struct{ serve.Engine }

func (naming) Execute(_ context.Context, req *serve.Request) *serve.Response {
	id := req.DocumentID
	if given, ok := req.PersistedQuery(); ok && id == "" {
		id = "extension:" + given.Version + ":" + given.SHA256Hash
	}
	return serve.Refuse(serve.Executed, "id:"+id, "text:"+req.Query)
}

func TestADocumentsIDArrivesInEachOfItsWays(t *testing.T) {
	h, err := serve.New(serve.Config{Engine: naming{}, DocumentIDs: &serve.DocumentIDs{Parameter: "id", Path: true}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	const extension = `"extensions":{"clientLibrary":{"name":"a"},"persistedQuery":{"sha256Hash":"h","version":1,"miss":true}}`
	tests := []struct{ name, path, body, want string }{
		{"documentId", "", `{"documentId":"a","doc_id":"b","id":"c",` + extension + `}`, "a"},
		{"Apollo's extension", "", `{"doc_id":"b","id":"c",` + extension + `}`, "extension:1:h"},
		{"doc_id", "", `{"id":"c","doc_id":"b"}`, "b"},
		{"the parameter", "", `{"id":"c"}`, "c"},
		{"a path", "/name~1~d", `{"variables":null}`, "name~1~d"},
		{"a text beside an id that is only an alternative", "/d", `{"query":"{a}","doc_id":"b","id":"c"}`, ""},
		{"an id of another kind", "", `{"id":7,"query":"{a}"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := do(t, "POST", server.URL+"/graphql"+test.path, test.body, "Content-Type", "application/json")
			if got.status != 200 || got.code != "id:"+test.want {
				t.Errorf("got %d %s, want the id %s", got.status, got.body, test.want)
			}
		})
	}
	gets := []struct{ name, path, query, want string }{
		{"documentId", "", "documentId=a&id=c", "a"},
		{"Apollo's extension", "", "extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"h"}}`) + "&id=c", "extension:1:h"},
		{"doc_id", "", "id=c&doc_id=b", "b"},
		{"the parameter", "", "id=c", "c"},
		{"a path", "/sha256:d", "", "sha256:d"},
	}
	for _, test := range gets {
		t.Run("GET "+test.name, func(t *testing.T) {
			if got := do(t, "GET", server.URL+"/graphql"+test.path+"?"+test.query, ""); got.status != 200 || got.code != "id:"+test.want {
				t.Errorf("got %d %s, want the id %s", got.status, got.body, test.want)
			}
		})
	}
}

func TestAnEmptyIDIsNone(t *testing.T) {
	server, _ := start(t, serve.Config{DocumentIDs: &serve.DocumentIDs{}})
	if got := post(t, server, `{"documentId":""}`); got.status != 400 || !strings.Contains(got.body, "the parameter documentId is empty: give") {
		t.Errorf("alone: got %d %s", got.status, got.body)
	}
	if got := do(t, "GET", server.URL+"/graphql?documentId=", "", "Apollo-Require-Preflight", "1"); got.status != 400 || got.code != "BAD_REQUEST" {
		t.Errorf("in a URL: got %d %s", got.status, got.body)
	}
	if got := post(t, server, `{"query":"{hello}","documentId":""}`); got.body != `{"data":{"hello":"hello nobody"}}` {
		t.Errorf("with a text: got %d %s", got.status, got.body)
	}
}

func TestWithoutAnEngineThatKnowsIDsTheClientIsToldToSendTheText(t *testing.T) {
	server, _ := start(t, serve.Config{})
	const hash = `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"h"}}`
	if got := post(t, server, `{`+hash+`}`); got.status != 200 || got.body != `{"errors":[{"message":"PersistedQueryNotSupported","extensions":{"code":"PERSISTED_QUERY_NOT_SUPPORTED"}}]}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := post(t, server, `{"query":"{hello}",`+hash+`}`); got.body != `{"data":{"hello":"hello nobody"}}` {
		t.Errorf("with the text: got %d %s", got.status, got.body)
	}
	if got := do(t, "POST", server.URL+"/graphql/h", `{"doc_id":"h"}`, "Content-Type", "application/json"); got.status != 404 {
		t.Errorf("by path: got %d %s", got.status, got.body)
	}
	if got := post(t, server, `{"doc_id":"h"}`); got.status != 400 || got.code != "BAD_REQUEST" {
		t.Errorf("by doc_id: got %d %s", got.status, got.body)
	}
}
