package serve_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// openDoor is a front door with everything switched on, and what it logs.
func openDoor(f *testing.F) (*serve.Handler, *logBuffer) {
	f.Helper()
	engine, log := newFakeEngine(), new(logBuffer)
	close(engine.release)
	ended := f.Context().Done()
	go func() { // nobody waits for what the engine tells
		for {
			select {
			case <-engine.subscribed:
			case <-engine.entered:
			case <-ended:
				return
			}
		}
	}()
	h, err := serve.New(serve.Config{
		Engine: engine, Verifier: fakeVerifier{}, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError})),
		DocumentIDs: &serve.DocumentIDs{Parameter: "id"}, HTTP: serve.HTTP{MaxBodyBytes: 1 << 16}, Uploads: serve.Uploads{Enabled: true, MaxBytes: 1 << 16},
		Batching: serve.Batching{Enabled: true, MaxOperations: 3}, Streams: serve.Streams{SingleConnection: true, InitTimeout: 20 * time.Millisecond},
		CORS: serve.CORS{Origins: []string{"https://shop.example"}}, Clients: serve.Clients{TrustedProxies: []string{"192.0.2.0/24", "unix"}},
	})
	if err != nil {
		f.Fatal(err)
	}
	return h, log
}

// give sends a request, and insists on an answer that a client can read. It is nil for what no server would pass on.
func give(t *testing.T, h *serve.Handler, log *logBuffer, method, target, header, body string) *httptest.ResponseRecorder {
	t.Helper()
	if strings.Contains(body+target, "bo") || strings.Contains(body+target, "big") || strings.Contains(body+target, "flood") || strings.ContainsRune(body+target, '\\') {
		return nil // the engine's own panics, and floods
	}
	place, err := url.ParseRequestURI(target)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://router/", strings.NewReader(body))
	if err != nil {
		return nil
	}
	req.URL, req.RemoteAddr = place, "192.0.2.1:1234"
	for line := range strings.SplitSeq(header, "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			req.Header.Add(name, strings.TrimSpace(value))
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if strings.Contains(log.String(), "panic") {
		t.Fatalf("%s %s %q %q: %s", method, target, header, body, log)
	}
	got := rec.Body.Bytes()
	if strings.HasSuffix(rec.Header().Get("Content-Type"), "json") && rec.Header().Get("Content-Encoding") == "" && !json.Valid(got) {
		t.Fatalf("%s %s %q %q: no JSON: %s", method, target, header, body, got)
	}
	if rec.Code >= 400 && rec.Body.Len() == 0 {
		t.Fatalf("%s %s %q %q: %d without a word", method, target, header, body, rec.Code)
	}
	return rec
}

// FuzzDoor looks for requests that crash the front door, or get an answer that nobody can read.
func FuzzDoor(f *testing.F) {
	const isJSON = "Content-Type: application/json"
	for _, seed := range [][4]string{
		{"POST", "/graphql", isJSON, `{"query":"{hello}"}`},
		{"POST", "/graphql", isJSON + "\nAccept: text/event-stream, */*;q=0.1", `{"query":"subscription{count(to:2)}"}`},
		{"POST", "/graphql", isJSON + "\nAccept: multipart/mixed;subscriptionSpec=1.0", `{"query":"subscription{forever}"}`},
		{"POST", "/graphql", isJSON + "\nContent-Encoding: gzip\nAccept-Encoding: br;q=0, zstd, *;q=0.5", "\x1f\x8b\x08\x00"},
		{"GET", "/graphql?query={hello}&variables={}&extensions={}", "Accept: application/graphql-response+json;q=2, text/html", ""},
		{"GET", "/graphql/abc?id=x&doc_id=y", "X-Forwarded-For: 10.0.0.1, unix, ::1", ""},
		{"GET", "/graphql", "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: x\nSec-WebSocket-Version: 13", ""},
		{"OPTIONS", "/graphql", "Origin: https://shop.example\nAccess-Control-Request-Method: POST", ""},
		{"POST", "/graphql", "Content-Type: text/plain\nOrigin: null\nReferer: ://\nUser-Agent: Mozilla/", `{}`},
		{"HEAD", "/health/ready", "", ""},
		{"DELETE", "//graphql/../graphql?%zz", "Authorization: Bearer good", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	h, log := openDoor(f)
	f.Fuzz(func(t *testing.T, method, target, header, body string) { give(t, h, log, method, target, header, body) })
}

// FuzzBatch looks for arrays that get another number of answers than they have operations.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{
		`[{"query":"{hello}"},{"query":"mutation{bump}"}]`, `[]`, `[[]]`, `[null]`, `[{}]`, ` [ {"query":"{"} , {"query":"{hello}","variables":{"a":"]"}} ] `,
		`[{"query":"{hello}"},{"query":"{hello}"},{"query":"{hello}"},{"query":"{hello}"}]`, `[{"documentId":"x"}]`, `[{"query":"{hello}"}`,
	} {
		f.Add(seed)
	}
	h, log := openDoor(f)
	f.Fuzz(func(t *testing.T, body string) {
		rec := give(t, h, log, "POST", "/graphql", "Content-Type: application/json", body)
		if rec == nil {
			return
		}
		var operations, answers []json.RawMessage
		if json.Unmarshal(rec.Body.Bytes(), &answers) != nil {
			return // refused as a whole
		}
		if err := json.Unmarshal([]byte(body), &operations); err != nil || len(answers) != len(operations) || len(answers) > 3 {
			t.Fatalf("%q: %s, %v", body, rec.Body, err)
		}
	})
}

// FuzzUpload looks for forms that crash the reader of files.
func FuzzUpload(f *testing.F) {
	const part = "--x\r\nContent-Disposition: form-data; name="
	for _, seed := range []string{
		part + "operations\r\n\r\n{\"query\":\"mutation{bump}\",\"variables\":{\"f\":null}}\r\n" + part + "map\r\n\r\n{\"0\":[\"variables.f\"]}\r\n" +
			part + "0; filename=a.txt\r\n\r\nhello\r\n--x--\r\n",
		part + "operations\r\n\r\n{\"query\":\"{hello}\",\"variables\":{\"f\":[null]}}\r\n" + part + "map\r\n\r\n{\"0\":[\"variables.f.7\"]}\r\n--x--\r\n",
		part + "operations\r\n\r\n[{}]\r\n" + part + "map\r\n\r\n{}\r\n--x--\r\n", part + "map\r\n\r\n[]\r\n--x--\r\n", "--x--\r\n", "", "--x\r\n\r\n",
	} {
		f.Add(seed)
	}
	h, log := openDoor(f)
	f.Fuzz(func(t *testing.T, body string) {
		give(t, h, log, "POST", "/graphql", "Content-Type: multipart/form-data; boundary=x\nGraphQL-Require-Preflight: 1", body)
	})
}

// FuzzReservation looks for operations that crash a stream that many share.
func FuzzReservation(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"query":"{hello}","extensions":{"operationId":"1"}}`, "1"},
		{`{"query":"subscription{count(to:2)}","extensions":{"operationId":""}}`, ""},
		{`{"query":"{","extensions":{"operationId":"a"}}`, "b"},
		{`{"extensions":{"operationId":1}}`, "%00"},
		{`[{}]`, "a&token=b"},
		{``, "+"},
	} {
		f.Add(seed[0], seed[1])
	}
	h, log := openDoor(f)
	f.Fuzz(func(t *testing.T, body, id string) {
		reserved := give(t, h, log, "PUT", "/graphql", "", "")
		if reserved.Code != http.StatusCreated {
			t.Skip("too many streams") // those that nobody opens take a while to be forgotten
		}
		token := "\nX-GraphQL-Event-Stream-Token: " + reserved.Body.String()
		give(t, h, log, "POST", "/graphql", "Content-Type: application/json"+token, body)
		give(t, h, log, "GET", "/graphql?token="+id, "Accept: text/event-stream", "")
		give(t, h, log, "DELETE", "/graphql?operationId="+id, token, "")
		give(t, h, log, "GET", "/graphql", "Accept: text/event-stream"+token, "")
	})
}
