package serve

import (
	"encoding/json"
	"net/http"
	"testing"
)

// FuzzDecodeBody looks for bodies that crash the decoder or that it reads otherwise than encoding/json.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{a}"}`, `{"query":"\u0061\n","variables":{"a":[1,{"b":"}"}]},"operationName":null}`,
		` { "extensions" : { "persistedQuery" : { } } , "documentId":"x"} `, `[{}]`, `{"doc_id":"x","id":1}`, `{"id":"\u0061"}`,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x","miss":[{}]}}}`, `{"query":1e9}`, `{"quer\u0079":"","query":""}`,
		`{"variables":{"a":1,"\u0061":2},"query":""}`, `{"query":"\ud800"}`, "\xff", "\f{\"query\":\"\"}", `{`, ``, `{"a":[[[[]]]]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req := Request{ids: &DocumentIDs{Parameter: "id"}}
		batch, err := decodeBody(body, &req)
		if batch != nil {
			return
		}
		if err != nil {
			if err.status != 400 || err.code == "" || err.message == "" || !json.Valid(errorBody(err.code, err.message)) {
				t.Fatalf("refusal %+v", err)
			}
			return
		}
		var want struct {
			Query, OperationName, DocumentID *string
			Variables, Extensions            map[string]json.RawMessage
		}
		exact := make(map[string]json.RawMessage)
		if err := json.Unmarshal(body, &exact); err != nil {
			t.Fatalf("%q was accepted: %v", body, err)
		}
		for name, into := range map[string]any{
			"query": &want.Query, "operationName": &want.OperationName, "documentId": &want.DocumentID,
			"variables": &want.Variables, "extensions": &want.Extensions,
		} {
			if raw, ok := exact[name]; ok {
				if err := json.Unmarshal(raw, into); err != nil {
					t.Fatalf("%q was accepted: %s: %v", body, name, err)
				}
			}
		}
		compareText(t, "query", req.Query, want.Query)
		compareText(t, "operationName", req.OperationName, want.OperationName)
		if req.DocumentID != req.alternative || req.alternative == "" {
			compareText(t, "documentId", req.DocumentID, want.DocumentID)
		}
		_, _ = req.PersistedQuery()
		compareObject(t, "variables", req.Variables, want.Variables)
		compareObject(t, "extensions", req.Extensions, want.Extensions)
	})
}

func compareText(t *testing.T, name, got string, want *string) {
	if want == nil && got != "" || want != nil && got != *want {
		t.Fatalf("%s: got %q", name, got)
	}
}

func compareObject(t *testing.T, name string, got json.RawMessage, want map[string]json.RawMessage) {
	if (got == nil) != (want == nil) {
		t.Fatalf("%s: got %q, want %q", name, got, want)
	}
	if got == nil {
		return
	}
	names := make(map[string]bool)
	for m := walk(got); m.next(); {
		names[string(m.name)] = true
		if !json.Valid(m.value) {
			t.Fatalf("%s.%s: %q", name, m.name, m.value)
		}
	}
	if len(names) != len(want) {
		t.Fatalf("%s: walked %v, want %q", name, names, want)
	}
}

// FuzzDecodeMessage looks for WebSocket messages that crash the decoder or that nobody could answer.
func FuzzDecodeMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`, `{"id":"1","type":"subscribe","payload":{"query":"{a}"}}`,
		`{"type":"ping"}`, `{"type":"complete","id":"\ud83d\ude00"}`, `{"type":"pong","payload":null}`, `{"type":["a"]}`, `{}`, ``, `{"type":"start"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decodeMessage(raw)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		if (m.kind == messageSubscribe || m.kind == messageComplete) && m.id == "" {
			t.Fatalf("%q: no id", raw)
		}
		if m.kind == messageSubscribe {
			var req Request
			_ = decodeParameters(m.payload, &req)
		}
		_ = m.addTo(http.Header{}, &clients{names: []string{"Client"}})
		for _, answer := range [][]byte{
			appendNext(nil, m.id, []byte(`{"data":null}`)), appendComplete(nil, m.id), appendPong(nil, m.payload),
			appendError(nil, m.id, errorBody("A", m.id)),
		} {
			if !json.Valid(answer) {
				t.Fatalf("answer %q", answer)
			}
		}
	})
}
