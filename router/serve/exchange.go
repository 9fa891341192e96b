package serve

import (
	"context"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"
)

// exchange is one HTTP request on its way: the ResponseWriter that everything writes to, and what the access
// log will say. It belongs to the goroutine that serves the request and goes back to a pool when that ends.
type exchange struct {
	h     *Handler
	w     http.ResponseWriter
	r     *http.Request
	id    string
	start time.Time
	// quiet requests are logged at debug level: probes and files.
	quiet bool
	// req and body, which it aliases, are the GraphQL request at the endpoint.
	req  Request
	body *buffer
	// batch are the requests of a batch; nil if there is only req.
	batch []Request
	// form are the files that came along; nil if there are none.
	form *multipart.Form

	status    int
	bytes     int64
	operation Operation
	hijacked  bool
	// streaming is set once the exchange is one of the handler's streams, which Drain waits for.
	streaming bool
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func (h *Handler) begin(w http.ResponseWriter, r *http.Request) *exchange {
	ex := exchanges.Get().(*exchange)
	*ex = exchange{h: h, w: w, r: r, id: requestID(r.Header), start: time.Now()}
	w.Header()["X-Request-Id"] = []string{ex.id}
	if h.cfg.Observer != nil {
		h.cfg.Observer.Began()
	}
	if r.ContentLength != 0 {
		// Also for a body that nobody reads: the server drains it before the next request. It lifts the
		// deadline at the body's end.
		ex.readBy(ex.start.Add(h.cfg.HTTP.ReadBodyTimeout))
	}
	return ex
}

// end logs the request, after it has answered a panic as well as that can still be done.
func (ex *exchange) end() {
	panicked := recover()
	if ex.form != nil {
		_ = ex.form.RemoveAll() // temporary files that the system cleans up, if it can't be now
	}
	if ex.streaming {
		// Last, so that nothing is logged after Drain.
		defer ex.h.streams.leave()
	}
	if panicked == nil {
		ex.log()
		if ex.body != nil {
			ex.body.release()
		}
		*ex = exchange{}
		exchanges.Put(ex)
		return
	}
	aborted := panicked == http.ErrAbortHandler //nolint:errorlint // the value itself, by net/http's documentation
	if !aborted {
		ex.h.logPanic(ex.r.Context(), ex.id, panicked)
	}
	if aborted || ex.status != 0 || ex.hijacked {
		// The answer has begun: cutting the connection is the only way left to say that it is broken.
		ex.log()
		panic(http.ErrAbortHandler)
	}
	ex.refuse(&refusal{http.StatusInternalServerError, CodeInternal, "internal server error"}, mediaJSON)
	ex.log()
}

// logPanic writes a panic with its stack. It must be called in the deferred function that recovered.
func (h *Handler) logPanic(ctx context.Context, id string, panicked any) {
	h.cfg.Logger.LogAttrs(
		ctx, slog.LevelError, "panic",
		slog.String("id", id), slog.Any("panic", panicked), slog.String("stack", string(debug.Stack())),
	)
}

// enterStreams makes the exchange one of the handler's streams, or refuses it if the router drains.
func (ex *exchange) enterStreams() bool {
	ex.streaming = ex.h.streams.enter()
	if !ex.streaming {
		ex.refuse(&refusal{http.StatusServiceUnavailable, CodeUnavailable, goingAway}, mediaJSON)
	} else if ex.h.cfg.Observer != nil {
		ex.h.cfg.Observer.Streaming(1)
	}
	return ex.streaming
}

// now is time.Now in half the time: of a clock that runs only the distance is read.
func (ex *exchange) now() time.Time { return ex.start.Add(time.Since(ex.start)) }

// Header is the response's header.
func (ex *exchange) Header() http.Header { return ex.w.Header() }

// WriteHeader sends the status; from now on the client has HTTP.WriteTimeout to take the answer.
func (ex *exchange) WriteHeader(status int) {
	if ex.status == 0 {
		ex.status = status
		ex.writeBy(ex.now().Add(ex.h.cfg.HTTP.WriteTimeout))
	}
	ex.w.WriteHeader(status)
}

// Write writes a part of the body.
func (ex *exchange) Write(b []byte) (int, error) {
	if ex.status == 0 {
		ex.WriteHeader(http.StatusOK)
	}
	n, err := ex.w.Write(b)
	ex.bytes += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController the server's own writer.
func (ex *exchange) Unwrap() http.ResponseWriter { return ex.w }

// The deadlines of a writer that has none, as in tests of handlers, don't matter.

func (ex *exchange) readBy(t time.Time) { _ = http.NewResponseController(ex.w).SetReadDeadline(t) }

func (ex *exchange) writeBy(t time.Time) { _ = http.NewResponseController(ex.w).SetWriteDeadline(t) }

// interrupt ends what is being written when ctx ends, until it is told to stop: behind that the exchange may be another
// client's.
func (ex *exchange) interrupt(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	unused := context.AfterFunc(ctx, func() {
		defer close(done)
		ex.writeBy(time.Now())
	})
	return func() {
		if !unused() {
			<-done
		}
	}
}

var nosniff = []string{"nosniff"}

// writePiece is how much of a body a client must take within HTTP.WriteTimeout.
const writePiece = 256 << 10

// writeBytes answers with a whole body as it is.
func (ex *exchange) writeBytes(status int, m media, body []byte) {
	header := ex.Header()
	header["Content-Type"] = contentTypes[m]
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	header["X-Content-Type-Options"] = nosniff
	ex.WriteHeader(status)
	for len(body) > writePiece {
		// The client has gone if this fails; the access log shows the bytes that it took.
		if _, err := ex.Write(body[:writePiece]); err != nil {
			return
		}
		body = body[writePiece:]
		ex.writeBy(time.Now().Add(ex.h.cfg.HTTP.WriteTimeout))
	}
	_, _ = ex.Write(body)
}

// refuse answers with an error of our own.
func (ex *exchange) refuse(err *refusal, m media) {
	if m.isStream() {
		m = mediaJSON
	}
	header := ex.Header()
	switch err.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case http.StatusRequestEntityTooLarge, http.StatusRequestTimeout, http.StatusRequestHeaderFieldsTooLarge:
		// What is left of the body is not worth reading.
		header.Set("Connection", "close")
	}
	ex.operation.Code = err.code
	ex.write(err.status, m, errorBody(err.code, err.message))
}

// respond writes the engine's answer and releases it.
func (ex *exchange) respond(resp *Response, m media) {
	defer resp.Release()
	ex.operation = resp.Operation
	header := ex.Header()
	for name, values := range resp.Header {
		name = http.CanonicalHeaderKey(name)
		if had := header[name]; had != nil {
			header[name] = append(slices.Clip(had), values...)
		} else {
			header[name] = slices.Clip(values)
		}
	}
	ex.write(ex.statusOf(resp.Outcome, m), m, resp.Body)
}

// statusOf is the status of an outcome, whose headers it sets.
func (ex *exchange) statusOf(outcome Outcome, m media) int {
	header := ex.Header()
	switch {
	case outcome == RequestError && m == mediaJSON:
		// A status other than 200 would say that the JSON may be of a proxy, and no GraphQL response.
		return http.StatusOK
	case outcome == MutationByGET:
		header.Set("Allow", "POST")
	case outcome == Unauthenticated && header.Get("WWW-Authenticate") == "":
		header.Set("WWW-Authenticate", "Bearer")
	}
	return statuses[outcome]
}

// statusClientGone is logged, never sent: nginx's code for a client that did not wait for its answer.
const statusClientGone = 499

// requestID takes the client's or the proxy's id if it is a sensible one, else makes one.
func requestID(header http.Header) string {
	if ids := header["X-Request-Id"]; len(ids) == 1 && isRequestID(ids[0]) {
		return ids[0]
	}
	var raw [16]byte
	var text [32]byte
	high, low := rand.Uint64(), rand.Uint64()
	for i := range 8 {
		raw[i], raw[8+i] = byte(high>>(8*i)), byte(low>>(8*i))
	}
	hex.Encode(text[:], raw[:])
	return string(text[:])
}

func isRequestID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=':
		default:
			return false
		}
	}
	return true
}
