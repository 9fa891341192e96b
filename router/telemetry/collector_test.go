package telemetry_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/telemetry"
)

func TestRequestsGoOnWithoutTheCollectorAndTheLogSaysSoOnce(t *testing.T) {
	in := newInbox(t, nil)
	in.setAway(true)
	w, stop := watch(t, telemetry.Config{Tracing: telemetry.Tracing{Endpoint: in.URL, QueueSize: 4, Headers: map[string]string{"Authorization": "Bearer of-collector"}}}, router.Config{})
	for !strings.Contains(w.log.String(), "collector is away") {
		w.query(t)
	}
	for range 100 {
		w.query(t)
	}
	in.setAway(false)
	for !strings.Contains(w.log.String(), "collector is back") {
		w.query(t)
	}
	stop()
	if n := strings.Count(w.log.String(), "collector is away"); n != 1 {
		t.Errorf("the log says %d times that the collector is away:\n%s", n, w.log)
	}
	if len(in.got()) == 0 || in.header.Get("Authorization") != "Bearer of-collector" {
		t.Errorf("%d spans came with the headers %v", len(in.got()), in.header)
	}
	if strings.Contains(w.log.String(), "of-collector") {
		t.Error("the collector's credentials are in the log")
	}
}

func TestNothingListensWhereTheCollectorShouldBe(t *testing.T) {
	in := newInbox(t, nil)
	in.Close()
	w, stop := watch(t, telemetry.Config{Tracing: telemetry.Tracing{Endpoint: in.URL}}, router.Config{})
	w.query(t)
	stop()
	if !strings.Contains(w.log.String(), "collector is away") {
		t.Errorf("the log says nothing of it:\n%s", w.log)
	}
}

func TestSpansThatACollectorIsTooSlowForAreDropped(t *testing.T) {
	const queue, requests = 8, 200
	gate := make(chan struct{})
	in := newInbox(t, gate)
	w, stop := watch(t, telemetry.Config{Tracing: telemetry.Tracing{Endpoint: in.URL, QueueSize: queue}}, router.Config{})
	for range requests { // three spans each; none waits for the collector
		w.query(t)
	}
	close(gate)
	stop()
	// One batch that is being sent, one that is being made, and the queue.
	if n := len(in.got()); n == 0 || n > 3*queue {
		t.Errorf("%d spans have waited, want at most %d", n, 3*queue)
	}
}

// Ids of traces of which a quarter is to be traced: of the first one always, of the second one never.
const (
	lowID  = "4bf92f3577b34da60000000000000001"
	highID = "4bf92f3577b34da6ffffffffffffffff"
)

func TestWhatIsTracedIsDecidedByTheCallerElseByTheShare(t *testing.T) {
	for _, test := range []struct {
		name        string
		percent     float64
		ignore      bool
		traceparent string
		traced      bool
	}{
		{"everything by default", 0, false, "", true},
		{"the caller's yes counts more than the share", 25, false, highID + "-00f067aa0ba902b7-01", true},
		{"the caller's no counts more than the share", 100, false, lowID + "-00f067aa0ba902b7-00", false},
		{"of callers who are not trusted the share counts: no", 25, true, highID + "-00f067aa0ba902b7-01", false},
		{"of callers who are not trusted the share counts: yes", 25, true, lowID + "-00f067aa0ba902b7-00", true},
		{"what is no traceparent is none", 100, false, "0-0-0", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := newInbox(t, nil)
			w, stop := watch(t, telemetry.Config{Tracing: telemetry.Tracing{Endpoint: in.URL, SamplePercent: test.percent, IgnoreCaller: test.ignore}}, router.Config{})
			if test.traceparent == "" {
				w.query(t)
			} else {
				w.query(t, "Traceparent", "00-"+test.traceparent)
			}
			stop()
			if traced := len(in.got()) > 0; traced != test.traced {
				t.Fatalf("traced = %v, want %v", traced, test.traced)
			}
			passed := w.users.header.Get("Traceparent")
			if flag := map[bool]string{true: "-01", false: "-00"}[test.traced]; !strings.HasSuffix(passed, flag) {
				t.Errorf("the subgraph was told %q, which should end with %s", passed, flag)
			}
			if id, _, _ := strings.Cut(test.traceparent, "-"); len(id) == 32 {
				if !strings.HasPrefix(passed, "00-"+id) {
					t.Errorf("the subgraph was told %q, which is not the caller's trace", passed)
				}
				for _, span := range in.got() {
					if hex.EncodeToString(span.TraceId) != id {
						t.Errorf("the span %s is of the trace %x", span.Name, span.TraceId)
					}
				}
			}
		})
	}
}
