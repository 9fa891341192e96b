package persisted_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/agora-supergraph/agora/router/persisted"
	"github.com/agora-supergraph/agora/router/persisted/automatic"
	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

const counting = "subscription Ticks($to: Int!) {ticks(to: $to)}"

// say sends messages over a WebSocket after connection_init with a payload, and returns what comes back for each until its end.
func (d *door) say(payload string, subscriptions ...string) []string {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, d.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		d.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	write := func(message string) {
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			d.Fatal(err)
		}
	}
	read := func() string {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			d.Fatal(err)
		}
		return string(raw)
	}
	write(`{"type":"connection_init","payload":` + payload + `}`)
	read()
	var answers []string
	for _, s := range subscriptions {
		write(`{"type":"subscribe","id":"1","payload":` + s + `}`)
		answer := ""
		for !strings.Contains(answer, `"type":"complete"`) && !strings.Contains(answer, `"type":"error"`) {
			answer += read()
		}
		answers = append(answers, answer)
	}
	return answers
}

func TestTheRulesAreTheSameOverAWebSocket(t *testing.T) {
	d := open(t, persisted.Config{
		Automatic: &automatic.Memory{},
		Manifests: []persisted.Manifest{{Source: written(t, manifest.Document{ID: "ticks", Text: counting}), Client: "acme"}},
		Clients:   map[string]persisted.Client{"acme": {Mode: persisted.RequireID, RequireKey: true}},
	})
	const two = `{"id":"1","type":"next","payload":{"data":{"ticks":1}}}{"id":"1","type":"next","payload":{"data":{"ticks":2}}}{"id":"1","type":"complete"}`
	got := d.say(`{"x-api-key":"acme"}`, `{"documentId":"ticks","variables":{"to":2}}`, text(counting), apollo(manifest.SHA256(counting), ""))
	d.wants("a document", two, got[0])
	d.has("a text", got[1], `"type":"error"`, "PERSISTED_QUERY_ID_REQUIRED")
	d.has("a hash", got[2], `"type":"error"`, "PERSISTED_QUERY_NOT_IN_LIST")
	registered := strings.TrimSuffix(apollo(manifest.SHA256(counting), counting), "}") + `,"variables":{"to":2}}`
	hash := strings.TrimSuffix(apollo(manifest.SHA256(counting), ""), "}") + `,"variables":{"to":2}}`
	got = d.say(`{}`, `{"documentId":"ticks","variables":{"to":2}}`, hash, registered, hash)
	d.has("acme's document for somebody else", got[0], `"type":"error"`, "PERSISTED_DOCUMENT_NOT_FOUND")
	d.has("a hash that nobody knows", got[1], `"type":"error"`, "PersistedQueryNotFound")
	d.wants("hash and text", two, got[2])
	d.wants("the hash alone", two, got[3])
}

func TestTheRulesAreTheSameOverServerSentEvents(t *testing.T) {
	d := open(t, persisted.Config{
		Mode:      persisted.RequireID,
		Manifests: []persisted.Manifest{{Source: written(t, manifest.Document{ID: "ticks", Text: counting})}},
	})
	stream := func(body string) (status int, text string) {
		resp, err := d.send(http.MethodPost, "", body, "Accept", "text/event-stream, application/json")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(raw)
	}
	_, events := stream(`{"doc_id":"ticks","variables":{"to":2}}`)
	d.has("a document", events, `data: {"data":{"ticks":1}}`, `data: {"data":{"ticks":2}}`, "event: complete")
	status, refused := stream(text(counting))
	d.has("a text", refused, "PERSISTED_QUERY_ID_REQUIRED")
	if status != http.StatusBadRequest {
		t.Errorf("a text: status %d", status)
	}
}

func (d *door) has(what, got string, want ...string) {
	d.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			d.Errorf("%s: got %s, want %s in it", what, got, w)
		}
	}
}
