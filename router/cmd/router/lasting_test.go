package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// ticker is a subgraph with subscriptions over server-sent events: tell sends all of them an event.
type ticker struct {
	begun, open atomic.Int64

	mu      sync.Mutex
	streams map[chan string]bool
}

func (s *ticker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	events := make(chan string, 16)
	s.mu.Lock()
	s.streams[events] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.streams, events)
		s.mu.Unlock()
		s.open.Add(-1)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	_ = flush.Flush()
	s.begun.Add(1)
	s.open.Add(1) // at last: who sees it sees the other, too
	for {
		select {
		case event := <-events:
			_, _ = fmt.Fprintf(w, "event: next\ndata: {\"data\":{\"tick\":%q}}\n\n", event)
			_ = flush.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (s *ticker) tell(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for stream := range s.streams {
		stream <- event
	}
}

// subscribers are clients of a subscription to tick, one over each transport: each line or message that they get goes to
// their channel.
func subscribers(t *testing.T, url string) map[string]chan string {
	t.Helper()
	const query = `{"query":"subscription { tick }"}`
	all := map[string]chan string{}
	for name, accept := range map[string]string{"server-sent events": "text/event-stream", "multipart": `multipart/mixed;subscriptionSpec="1.0"`} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(query))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {accept}}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		lines := make(chan string, 1000)
		all[name] = lines
		go func() {
			for scanner := bufio.NewScanner(resp.Body); scanner.Scan(); {
				if strings.Contains(scanner.Text(), `":`) {
					lines <- scanner.Text()
				}
			}
			lines <- "end"
		}()
	}
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	for _, message := range []string{`{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":` + query + `}`} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	messages := make(chan string, 1000)
	all["WebSocket"] = messages
	go func() {
		for {
			_, message, err := conn.Read(context.Background())
			if err != nil {
				messages <- err.Error()
				return
			}
			if !strings.Contains(string(message), "connection_ack") {
				messages <- string(message)
			}
		}
	}()
	return all
}

// reloads is how many configurations follow each other. A thousand take a minute or two.
var reloads = flag.Int("reloads", 100, "how `many` configurations the subscriptions of a test go through")

// TestSubscriptionsOutliveNewConfigurations has one subscription over each transport, from the first configuration to the
// last one.
func TestSubscriptionsOutliveNewConfigurations(t *testing.T) {
	subgraph := &ticker{streams: map[chan string]bool{}}
	server := httptest.NewServer(subgraph)
	t.Cleanup(server.Close) // after the router's end
	schema := func(fields string) string {
		return "subgraphs:\n  a:\n    routing_url: " + server.URL + "\n    schema:\n      sdl: 'type Query { a: Int } type Subscription { " + fields + " }'\n"
	}
	configuration := func(file string, n int) string {
		return fmt.Sprintf("supergraph: %s\nlisten: 127.0.0.1:0\ncache_bytes: %d\nall_subgraphs:\n  subscriptions:\n    protocol: sse\n", file, 1<<20+n)
	}
	folder(t, map[string]string{"one.yaml": schema("tick: String"), "two.yaml": schema("tock: String"), "router.yaml": configuration("one.yaml", 0)})
	url, log := running(t, "--config", "router.yaml")
	clients := subscribers(t, url)
	open := int64(len(clients))
	settled := func() {
		t.Helper()
		eventually(t, "each subscription has one stream from the subgraph", func() bool { return subgraph.open.Load() == open })
	}
	hear := func(want string) {
		t.Helper()
		for name, said := range clients {
			select {
			case got := <-said:
				if !strings.Contains(got, want) {
					t.Errorf("%s: got %s, want %s", name, got, want)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s: nothing within 20 s, want %s\n%s", name, want, log)
			}
		}
	}
	settled()
	heap, goroutines := uint64(0), 0
	for n := 1; n <= *reloads; n++ {
		begun := subgraph.begun.Load()
		replaceFile(t, "router.yaml", configuration("one.yaml", n))
		eventually(t, "the subscriptions are behind the new configuration", func() bool { return subgraph.begun.Load() == begun+open })
		settled()
		if n%10 == 0 {
			event := fmt.Sprint("after ", n)
			subgraph.tell(event)
			hear(event)
		}
		if n == *reloads/10 {
			heap, goroutines = inUse(), runtime.NumGoroutine()
		}
	}
	if grown := int64(inUse()) - int64(heap); grown > 2<<20 {
		t.Errorf("%d reloads take %d KiB", *reloads*9/10, grown>>10)
	} else {
		t.Logf("%d reloads take %d KiB of %d KiB, %d goroutines of %d", *reloads*9/10, grown>>10, heap>>10, runtime.NumGoroutine()-goroutines, goroutines)
	}
	if more := runtime.NumGoroutine() - goroutines; more > 20 {
		t.Errorf("%d reloads take %d goroutines", *reloads*9/10, more)
	}

	// A field that is gone ends what asks for it, and says so.
	replaceFile(t, "router.yaml", configuration("two.yaml", 0))
	hear("GRAPHQL_VALIDATION_FAILED")
	eventually(t, "nothing is left at the subgraph", func() bool { return subgraph.open.Load() == 0 })
}

// inUse is the heap's size without garbage.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
