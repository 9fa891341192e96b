package serve

import (
	"errors"
	"io"
	"net/http"
)

// format is how a media type has the parts of an answer.
func (m media) format() IncrementFormat {
	switch m {
	case mediaNone:
		return WholeAnswer
	case mediaPaths:
		return LabelledPaths
	}
	return PendingIDs
}

// overSocket is how a WebSocket has the parts of an answer. The protocol has no word for it: the Accept of
// connection_init, or of the handshake, may say; else it is the form that Apollo Client expects if it isn't told
// otherwise, and the only one that urql reads of messages.
func overSocket(header http.Header) IncrementFormat {
	values := header["Accept"]
	if acceptsAnything(values) {
		return LabelledPaths
	}
	return accept(values).increments.format()
}

// deliver writes the engine's answer: whole, or as its parts become ready. A client that takes nothing but streams gets
// a stream of one.
func (ex *exchange) deliver(resp *Response, accepts acceptance) {
	if resp.Rest == nil && !accepts.single.isStream() {
		ex.respond(resp, accepts.single)
		return
	}
	ex.operation = resp.Operation
	rest, m := resp.Rest, accepts.single
	if rest != nil {
		defer rest.Close()
		m = accepts.increments
	}
	header := ex.Header()
	for name, values := range resp.Header {
		for _, v := range values {
			header.Add(name, v)
		}
	}
	out := newStream(ex, m)
	if !out.next(resp) {
		return
	}
	for rest != nil {
		part, err := rest.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			ex.h.logStream(ex.r.Context(), ex.id, err)
			return // Without its end, the client knows that the answer is not whole.
		}
		if !out.next(part) {
			return
		}
	}
	out.complete()
}
