package subgraph

import (
	"net/http"
	"strings"
	"time"
)

// heartbeat is how often an idle stream shows that it lives, so that a peer that is gone is noticed.
const heartbeat = 10 * time.Second

func wantsEvents(r *http.Request) bool {
	return strings.HasPrefix(strings.TrimSpace(r.Header.Get("Accept")), "text/event-stream")
}

// serveEvents streams responses by the distinct connections mode of GraphQL over SSE
// (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request, req *Request) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	out.Flush()

	next := s.Subscribe(r.Context(), req)
	events := make(chan []byte)
	go func() {
		defer close(events)
		for event := next(); event != nil; event = next() {
			select {
			case events <- event:
			case <-r.Context().Done():
				return
			}
		}
	}()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		text := ":\n\n"
		select {
		case event, ok := <-events:
			if !ok {
				w.Write([]byte("event: complete\ndata:\n\n"))
				out.Flush()
				return
			}
			text = "event: next\ndata: " + string(event) + "\n\n"
		case <-beat.C:
		case <-r.Context().Done():
			for range events { // wait for the goroutine, which ends with the context
			}
			return
		}
		if _, err := w.Write([]byte(text)); err != nil || out.Flush() != nil {
			return
		}
	}
}
