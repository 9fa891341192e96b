package serve_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// reader is a client of server-sent events that keeps the id of the last event, as EventSource does.
type reader struct {
	t    *testing.T
	resp *http.Response
	text *bufio.Scanner
	last string
	stop context.CancelFunc
}

// open subscribes, or comes back with the id of an event. An empty token is nobody's.
func (d *doors) open(last, token string) *reader {
	d.t.Helper()
	return d.openTo("?query=subscription{news}", last, token)
}

func (d *doors) openTo(parameters, last, token string) *reader {
	d.t.Helper()
	header := []string{"Last-Event-ID", last}
	if last == "" {
		header = nil
	}
	if token != "" {
		header = append(header, "Authorization", "Bearer "+token)
	}
	ctx, stop := context.WithCancel(d.t.Context())
	resp := subscribeTo(ctx, d.t, d.Server, parameters, header...)
	return &reader{d.t, resp, bufio.NewScanner(resp.Body), last, stop}
}

// event is the data of the next event, or "end".
func (r *reader) event() string {
	r.t.Helper()
	for r.text.Scan() {
		name, value, _ := strings.Cut(r.text.Text(), ": ")
		switch name {
		case "id":
			r.last = value
		case "data":
			return value
		}
	}
	return "end"
}

// hears expects the next events.
func (r *reader) hears(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := r.event(); !strings.Contains(got, w) || w == "" && got != "" {
			r.t.Errorf("got %q, want %q", got, w)
		}
	}
}

// begun waits for the id that comes before all events.
func (r *reader) begun() *reader {
	r.t.Helper()
	before := r.last
	for r.last == before {
		if !r.text.Scan() {
			r.t.Fatalf("status %d, no id: %v", r.resp.StatusCode, r.text.Err())
		}
		if id, ok := strings.CutPrefix(r.text.Text(), "id: "); ok {
			r.last = id
		}
	}
	return r
}

const lost = "EVENTS_LOST"

func TestAClientThatComesBackMissesNothing(t *testing.T) {
	news := newFeed("news")
	d := newDoors(t, serve.Config{Engine: news})
	first := d.open("", "").begun()
	first.stop() // before any event
	again := d.open(first.last, "")
	news.tell("one")
	again.hears("one")
	again.stop()
	news.tell("two")
	news.tell("three")
	third := d.open(again.last, "")
	third.hears("two", "three")
	news.tell("four")
	third.hears("four")
	if n := news.begun.Load(); n != 1 {
		t.Errorf("%d subscriptions at the subgraph, want 1", n)
	}
	// What was sent and did not arrive is sent again.
	id, _, _ := strings.Cut(third.last, ".")
	fourth := d.open(id+".2", "")
	fourth.hears("three", "four")
	// The connection that it had before ends: it is served here now.
	third.hears("end")
	news.tell("five")
	news.tell("")
	fourth.hears("five", "", "end")
	// A browser comes back after the end, too, unless it is told not to.
	if done := d.open(fourth.last, ""); done.resp.StatusCode != http.StatusNoContent {
		t.Errorf("after complete: status %d, want 204", done.resp.StatusCode)
	}
}

func TestTheEndOfASubscriptionReachesAClientThatComesBack(t *testing.T) {
	news := newFeed("news")
	d := newDoors(t, serve.Config{Engine: news})
	first := d.open("", "").begun()
	first.stop()
	news.tell("last")
	news.tell("")
	eventually(t, "the subscription ends", func() bool { return news.ended.Load() == 1 })
	d.open(first.last, "").hears("last", "", "end")
}

func TestAPostIsResumedIfItsClientSaysThatItCanBe(t *testing.T) {
	news := newFeed("news")
	d := newDoors(t, serve.Config{Engine: news})
	send := func(last ...string) *reader {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL+"/graphql", strings.NewReader(`{"query":"subscription{news}"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "Last-Event-Id": last}
		resp, err := d.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return &reader{t, resp, bufio.NewScanner(resp.Body), "", stop}
	}
	plain := send()
	eventually(t, "it begins", func() bool { return news.begun.Load() == 1 })
	plain.stop()
	eventually(t, "it ends with its client", func() bool { return news.ended.Load() == 1 })
	first := send("").begun()
	first.stop()
	news.tell("one")
	send(first.last).hears("one")
	if n := news.begun.Load(); n != 2 {
		t.Errorf("%d subscriptions at the subgraph, want 2", n)
	}
}

func TestOnlyWhoHasOpenedASubscriptionResumesIt(t *testing.T) {
	news := newFeed("news")
	d := newDoors(t, serve.Config{Engine: news, Verifier: tokens{"ann", "ben"}})
	anns := d.open("", "ann").begun()
	anns.stop()
	news.tell("for ann")
	for what, thief := range map[string]*reader{
		"another identity":  d.open(anns.last, "ben"),
		"another operation": d.openTo("?query=subscription{other}", anns.last, "ann"),
		"another number":    d.open(strings.Replace(anns.last, ".0", ".9", 1), "ann"),
		"no such id":        d.open("x"+anns.last, "ann"),
		"no id of ours":     d.open("42", "ann"),
	} {
		if got := thief.event(); !strings.Contains(got, lost) {
			t.Errorf("%s: got %s, want %s and a subscription of its own", what, got, lost)
		}
		if thief.last == anns.last {
			t.Errorf("%s: got the same id", what)
		}
		thief.stop()
	}
	d.open(anns.last, "ann").hears("for ann")
}

func TestWhatIsKeptForAClientIsBounded(t *testing.T) {
	tests := []struct {
		name   string
		bounds serve.Resume
		want   []string
	}{
		{"events", serve.Resume{MaxEvents: 2}, []string{"3 events have been lost", "4-", "5-"}},
		{"bytes", serve.Resume{MaxBytes: 1100}, []string{"4 events have been lost", "5-"}},
		{"bytes of all", serve.Resume{MaxTotalBytes: 1100}, []string{"4 events have been lost", "5-"}},
		{"less than one", serve.Resume{MaxBytes: 1}, []string{"5 events have been lost"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			news := newFeed("news")
			d := newDoors(t, serve.Config{Engine: news, Streams: serve.Streams{Resume: test.bounds}})
			first := d.open("", "").begun()
			// A client that is there gets everything, whatever the bounds.
			for n := range 3 {
				news.tell(fmt.Sprint("early ", n, strings.Repeat("x", 1000)))
				first.hears(fmt.Sprint("early ", n))
			}
			first.stop()
			for n := 1; n <= 5; n++ {
				news.tell(fmt.Sprint(n, "-", strings.Repeat("x", 1000)))
			}
			eventually(t, "all is read", func() bool { return news.unread() == 0 })
			again := d.open(first.last, "")
			again.hears(test.want...)
			news.tell("and on")
			again.hears("and on")
		})
	}
}

func TestASubscriptionWaitsForItsClientForAWhileOnly(t *testing.T) {
	news := newFeed("news")
	d := newDoors(t, serve.Config{Engine: news, Streams: serve.Streams{Resume: serve.Resume{Window: 10 * time.Millisecond}}})
	first := d.open("", "").begun()
	first.stop()
	eventually(t, "the subscription ends", func() bool { return news.ended.Load() == 1 })
	again := d.open(first.last, "")
	again.hears(lost)
	news.tell("new")
	again.hears("new")
}

func TestNotTooManySubscriptionsWaitForTheirClients(t *testing.T) {
	news := newFeed("news")
	d := newDoors(t, serve.Config{Engine: news, Streams: serve.Streams{Resume: serve.Resume{MaxWaiting: 2}}})
	for range 5 {
		d.open("", "").begun().stop()
	}
	eventually(t, "three of five end", func() bool { return news.ended.Load() == 3 })
	if open := news.begun.Load() - news.ended.Load(); open != 2 {
		t.Errorf("%d wait, want 2", open)
	}
}

func TestAPanicEndsTheResumableSubscriptionAndNothingElse(t *testing.T) {
	server, _ := start(t, serve.Config{})
	resp := subscribe(t.Context(), t, server, "subscription { boom }")
	if got := readAll(t, resp.Body); !strings.Contains(got, "INTERNAL_SERVER_ERROR") || !strings.Contains(got, "event: complete") {
		t.Errorf("got %q", got)
	}
	if got := post(t, server, `{"query":"{hello}"}`); got.status != http.StatusOK {
		t.Errorf("after that: %+v", got)
	}
}
