package serve

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/agora-supergraph/agora/router/log"
)

// Observer watches the front door, for metrics. Its methods are called from many goroutines at once, and must return at
// once.
type Observer interface {
	// Began is told of an HTTP request that is to be answered, or of an operation on a WebSocket or in a batch.
	Began()
	// Ended is told of each that began, with what the access log says of it.
	Ended(r Record)
	// Connected is told that so many connections more are open; -1 is one that has closed. Only Run knows of connections.
	Connected(change int)
	// Streaming is the same for streams: subscriptions over HTTP, and WebSockets.
	Streaming(change int)
}

// Record is what is known of a request that has been answered. It holds neither tokens, nor variables, nor bodies.
type Record struct {
	// ID is the request's id.
	ID string
	// Transport is "http"; or, for an operation on a WebSocket, in a batch or on a stream that it shares, which has no
	// method, path, status or sizes, "websocket", "batch" or "stream".
	Transport string
	Method    string
	Path      string
	// Address is the client's IP address.
	Address string
	// Client is the program that sent the request, as it calls itself; Proven is its name if an API key proves it.
	Client Client
	Proven string
	// Document is the id of a persisted document, or the hash of an automatic one; mostly empty.
	Document string
	// Published says that an operator has published the document.
	Published bool
	Operation Operation
	// Status is the HTTP status; 499 if the client did not wait.
	Status int
	// Received and Sent are the sizes of the bodies in bytes. Of a body that comes in chunks, Received is -1.
	Received, Sent int64
	// Responses counts what was sent for an operation on a WebSocket.
	Responses int
	Duration  time.Duration
	// ended is when that was over, if it is known.
	ended time.Time
	// Quiet requests are probes and files.
	Quiet bool
}

// log writes the access log's line, and tells the observer.
func (ex *exchange) log() {
	level := slog.LevelInfo
	if ex.quiet {
		level = slog.LevelDebug
	}
	observer, ctx := ex.h.cfg.Observer, ex.r.Context()
	if observer != nil && ex.streaming {
		observer.Streaming(-1)
	}
	logged := ex.h.cfg.Logger.Enabled(ctx, level)
	if observer == nil && !logged {
		return
	}
	r := ex.record()
	if observer != nil {
		observer.Ended(r)
	}
	if logged {
		r.log(ctx, ex.h.cfg.Logger, level, "request")
	}
}

// record is what is known of an exchange that ends.
func (ex *exchange) record() Record {
	now := ex.now()
	r := Record{
		ID: ex.id, Transport: "http", Method: ex.r.Method, Path: ex.r.URL.Path, Address: ex.req.Address, Client: ex.req.Client,
		Proven: ex.req.proven(), Document: ex.req.documentID(), Published: ex.req.Published, Operation: ex.operation, Status: ex.status,
		Received: ex.r.ContentLength, Sent: ex.bytes, Duration: now.Sub(ex.start), ended: now, Quiet: ex.quiet,
	}
	if r.Address == "" {
		r.Address = ex.h.clients.address(ex.r.Header, ex.r.RemoteAddr)
	}
	if r.Status == 0 && !ex.hijacked && ex.r.Context().Err() != nil {
		r.Status = statusClientGone
	}
	return r
}

// log writes the line of one operation on a WebSocket, and tells the observer.
func (s *socket) log(ctx context.Context, op *socketOperation, operation Operation) {
	r := Record{
		ID: op.req.ID, Transport: "websocket", Address: op.req.Address, Client: op.req.Client, Proven: op.req.proven(),
		Document: op.req.documentID(), Published: op.req.Published, Operation: operation, Responses: op.responses, Duration: time.Since(op.start),
	}
	s.h.logOperation(ctx, r)
}

// logOperation writes the line of an operation that is not an HTTP request of its own, and tells the observer.
func (h *Handler) logOperation(ctx context.Context, r Record) {
	if h.cfg.Observer != nil {
		h.cfg.Observer.Ended(r)
	}
	r.log(ctx, h.cfg.Logger, slog.LevelInfo, "operation")
}

// log writes a record as one line. What an operation on a WebSocket does not have is left out.
func (r *Record) log(ctx context.Context, to *slog.Logger, level slog.Level, message string) {
	if direct, ok := to.Handler().(log.LineWriter); ok {
		if direct.Enabled(ctx, level) {
			r.writeLine(direct, level, message)
		}
		return
	}
	attributes := make([]slog.Attr, 0, 20)
	attributes = append(attributes, slog.String("id", r.ID))
	if r.Transport == "http" {
		attributes = append(attributes, slog.String("method", r.Method), slog.String("path", r.Path))
	}
	attributes = append(attributes, slog.String("address", r.Address), slog.String("client", r.Client.Name), slog.String("version", r.Client.Version),
		slog.String("operation", r.Operation.Name), slog.String("kind", r.Operation.Kind))
	if r.Transport == "http" {
		attributes = append(attributes, slog.Int("status", r.Status), slog.String("code", r.Operation.Code), slog.Int64("bytes", r.Sent), slog.Int64("received", r.Received))
	} else {
		attributes = append(attributes, slog.String("code", r.Operation.Code), slog.Int("responses", r.Responses))
	}
	attributes = append(attributes, slog.Float64("cost", r.Operation.Cost), slog.Duration("duration", r.Duration))
	if r.Document != "" {
		attributes = append(attributes, slog.String("document", r.Document))
	}
	if r.Proven != "" {
		attributes = append(attributes, slog.String("key", r.Proven))
	}
	if r.Operation.Fetches > 0 {
		attributes = append(attributes, slog.Int("fetches", r.Operation.Fetches), slog.Duration("subgraphs", r.Operation.Subgraphs))
	}
	if r.Operation.Trace != "" {
		attributes = append(attributes, slog.String("trace", r.Operation.Trace))
	}
	to.LogAttrs(ctx, level, message, attributes...)
}

// proven is the program that sends a request, if its API key says so.
func (req *Request) proven() string {
	if req.Claims == nil {
		return ""
	}
	return req.Claims.Client
}

// documentID is the id that a request named a document by.
func (req *Request) documentID() string {
	if req.DocumentID != "" || req.Extensions == nil {
		return limited(req.DocumentID)
	}
	p, _ := req.PersistedQuery()
	return limited(p.SHA256Hash)
}

// connected tells the observer of connections that open and close. A hijacked one is a WebSocket, and counted as a stream
// from then on.
func (h *Handler) connected(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		h.cfg.Observer.Connected(1)
	case http.StateClosed, http.StateHijacked:
		h.cfg.Observer.Connected(-1)
	}
}
