package serve

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Batching lets a request hold several operations, as a JSON array that is answered by one. Each of them is a request of its
// own to everything behind the front door: persisted documents, limits, prices.
type Batching struct {
	// Enabled takes batches. Off by default: a batch takes as long as its slowest operation.
	Enabled bool `yaml:"enabled"`
	// MaxOperations is how many operations a batch may hold. Zero means 10.
	MaxOperations int `yaml:"max_operations" min:"0" max:"1000"`
	// Concurrency is how many operations of one batch run at a time. Zero means 5.
	Concurrency int `yaml:"concurrency" min:"0" max:"1000"`
}

// decodeBatch decodes the requests of a batch, which share what the exchange knows of their client.
func (ex *exchange) decodeBatch(array []byte) ([]Request, *refusal) {
	settings := &ex.h.cfg.Batching
	if !settings.Enabled {
		return nil, &refusal{
			http.StatusBadRequest, CodeBatchingNotEnabled,
			"batching is not enabled: send one operation per request, as a JSON object",
		}
	}
	var batch []Request
	for value := range elements(array) {
		n := len(batch)
		switch {
		case n == settings.MaxOperations:
			return nil, &refusal{
				http.StatusBadRequest, CodeTooManyOperations,
				"more than " + strconv.Itoa(settings.MaxOperations) + " operations in one batch",
			}
		case value[0] != '{':
			return nil, badRequest("operation " + strconv.Itoa(n) + " of the batch is " + kind(value) + ": expected an object with a query")
		}
		req := ex.req
		req.ID += "." + strconv.Itoa(n)
		if err := decodeParameters(value, &req); err != nil {
			err.message = "operation " + strconv.Itoa(n) + " of the batch: " + err.message
			return nil, err
		}
		batch = append(batch, req)
	}
	if len(batch) == 0 {
		return nil, badRequest("the batch is empty: expected an array of objects with a query")
	}
	return batch, nil
}

// answerBatch answers all operations of a batch at once, in their order.
func (h *Handler) answerBatch(ex *exchange, r *http.Request, accepts acceptance) {
	ex.operation.Kind = "batch"
	m := accepts.single
	if m.isStream() {
		ex.refuse(&refusal{http.StatusNotAcceptable, CodeNotAcceptable, "a batch is answered in JSON, not as a stream"}, mediaJSON)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.HTTP.Timeout)
	defer cancel()
	answers := h.runBatch(ctx, ex.batch)
	total := len(answers) + 1
	for _, answer := range answers {
		total += len(answer.Body)
	}
	body := make([]byte, 0, total)
	outcome := answers[0].Outcome
	for i, answer := range answers {
		body = append(append(body, "[,"[min(i, 1)]), answer.Body...)
		if answer.Outcome != outcome {
			outcome = Executed
		}
		ex.operation.Code = cmp.Or(ex.operation.Code, answer.Operation.Code)
		ex.operation.Cost += answer.Operation.Cost
		mergeHeader(ex.Header(), answer.Header)
		answer.Release()
	}
	ex.write(ex.statusOf(outcome, m), m, append(body, ']'))
}

// runBatch runs the operations: beside each other if they are surely queries, else in order, as mutations have to. The
// word can't be written otherwise in a document; what a document holds that is named by its id is not known here.
func (h *Handler) runBatch(ctx context.Context, batch []Request) []*Response {
	atATime := h.cfg.Batching.Concurrency
	if slices.ContainsFunc(batch, func(req Request) bool { return req.Query == "" || strings.Contains(req.Query, "mutation") }) {
		atATime = 1
	}
	answers := make([]*Response, len(batch))
	places := make(chan struct{}, atATime)
	var running sync.WaitGroup
	for i := range batch {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			answers[i] = h.runOne(ctx, &batch[i])
		})
	}
	running.Wait()
	return answers
}

// runOne runs an operation of a batch. A panic ends it, and no other.
func (h *Handler) runOne(ctx context.Context, req *Request) (answer *Response) {
	start := time.Now()
	if h.cfg.Observer != nil {
		h.cfg.Observer.Began()
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			h.logPanic(ctx, req.ID, panicked)
			answer = Refuse(Internal, CodeInternal, "internal server error")
		}
		h.logOperation(ctx, Record{
			ID: req.ID, Transport: "batch", Address: req.Address, Client: req.Client, Proven: req.proven(), Document: req.documentID(),
			Published: req.Published, Operation: answer.Operation, Responses: 1, Duration: time.Since(start),
		})
	}()
	return h.now.Load().engine.Execute(ctx, req)
}

// mergeHeader adds the headers of one more answer: all cookies, and of anything else the last value. An answer that may
// be cached otherwise than those before it makes the whole not to be cached at all.
func mergeHeader(header, more http.Header) {
	for name, values := range more {
		name = http.CanonicalHeaderKey(name)
		before := header[name]
		switch {
		case name == "Set-Cookie":
			header[name] = append(before, values...)
		case name == "Cache-Control" && before != nil && !slices.Equal(before, values):
			header[name] = []string{"no-store"}
		default:
			header[name] = slices.Clone(values)
		}
	}
}
