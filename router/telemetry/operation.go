package telemetry

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/serve"
)

// watcher is what the router's hooks call.
type watcher struct{ *Telemetry }

// request is an operation that is watched: a context, in which later hooks find it.
type request struct {
	context.Context
	t     *Telemetry
	began time.Time
	// span is the operation's; nil without traces.
	span trace.Span

	// mu guards what is below: parts of an answer (@defer) may come while fetches go on.
	mu sync.Mutex
	// answered is set by the first response: the parts and events behind it are no requests.
	answered bool
	// parsed, planned and built say that the request had to make its document, its plan, or that of its shape.
	parsed, planned, built bool
	plan                   *plan.Plan
	// open are the spans of fetches under way; ended are the fetches that are over.
	open  []openFetch
	ended []execute.Ended
	// only has room for the fetch of an operation that has one.
	only [1]execute.Ended
}

type openFetch struct {
	key  execute.Started
	span trace.Span
}

type requestKey struct{}

// Value finds the request itself, besides what is in the context that it is derived from.
func (r *request) Value(key any) any {
	if key == (requestKey{}) {
		return r
	}
	return r.Context.Value(key)
}

func requestOf(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// OnRequest begins to watch an operation.
func (w watcher) OnRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	r := &request{t: w.Telemetry, began: req.Began}
	if r.began.IsZero() {
		r.began = time.Now()
	}
	if w.tracer != nil {
		if !trace.SpanContextFromContext(ctx).IsValid() {
			ctx = propagator.Extract(ctx, propagation.HeaderCarrier(req.Header))
		}
		ctx, r.span = w.tracer.Start(ctx, "graphql", trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(r.began))
		if r.span.IsRecording() {
			r.span.SetAttributes(
				attribute.String("http.request.id", req.ID), attribute.String("client.address", req.Address),
				attribute.String("graphql.client.name", req.Client.Name), attribute.String("graphql.client.version", req.Client.Version))
		}
	}
	r.Context = ctx
	return r, nil
}

// OnPrepare is told of what was in no cache.
func (w watcher) OnPrepare(ctx context.Context, p router.Prepared) {
	if w.metrics != nil {
		w.metrics.prepared(p)
	}
	r := requestOf(ctx)
	if r == nil {
		return // a document that is made ready before anybody sends it
	}
	r.mu.Lock()
	r.parsed, r.planned, r.built = r.parsed || p.Step == router.Parse, r.planned || p.Step == router.Normalise, r.built || p.Step == router.Build
	r.mu.Unlock()
	if r.span != nil && r.span.IsRecording() {
		_, span := w.tracer.Start(r.Context, string(p.Step), trace.WithTimestamp(p.Began))
		refused(span, p.Err)
		span.End(trace.WithTimestamp(p.Done))
	}
}

// refused marks a step by its error's code: the message quotes the document, and with it values that may be secret.
func refused(span trace.Span, err error) {
	var one *operation.Error
	var all operation.Errors
	switch {
	case errors.As(err, &all):
		span.SetStatus(codes.Error, all[0].Code)
	case errors.As(err, &one):
		span.SetStatus(codes.Error, one.Code)
	default:
		fail(span, err)
	}
}

// OnExecute is told of the operation's plan, and returns who is told of its fetches.
func (w watcher) OnExecute(ctx context.Context, req *serve.Request, p router.Planned) execute.Observer {
	r := requestOf(ctx)
	if r == nil {
		return nil
	}
	kind := kinds[p.Operation.Kind]
	r.mu.Lock()
	if r.plan, r.ended = p.Plan, r.only[:0]; len(p.Plan.Fetches) > len(r.only) {
		r.ended = make([]execute.Ended, 0, len(p.Plan.Fetches))
	}
	parsed, planned, built := r.parsed, r.planned, r.built
	r.mu.Unlock()
	if w.metrics != nil {
		w.metrics.found(parsed, planned, built)
	}
	if r.span == nil {
		return r
	}
	if r.span.IsRecording() {
		r.span.SetName(kind)
		r.span.SetAttributes(attribute.String("graphql.operation.type", kind), attribute.String("graphql.operation.name", p.Operation.Name))
		if req.DocumentID != "" {
			r.span.SetAttributes(attribute.String("graphql.document.id", req.DocumentID))
		}
	}
	if p.Operation.Kind == operation.Subscription {
		r.span.End() // it has begun: a span as long as a subscription would be seen by nobody
	}
	return r
}

var kinds = [...]string{operation.Query: "query", operation.Mutation: "mutation", operation.Subscription: "subscription"}

// OnResponse ends an operation.
func (w watcher) OnResponse(ctx context.Context, req *serve.Request, resp *serve.Response) {
	r := requestOf(ctx)
	if r == nil {
		return
	}
	done := r.began.Add(time.Since(r.began))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.span != nil && r.span.SpanContext().IsSampled() {
		resp.Operation.Trace = r.span.SpanContext().TraceID().String()
	}
	if r.answered {
		return
	}
	r.answered = true
	resp.Operation.Fetches, resp.Operation.Subgraphs = len(r.ended), r.waited()
	if resp.Operation.Kind != kinds[operation.Subscription] {
		w.judge(ctx, req, r, done, resp.Operation)
	}
	if r.span == nil {
		return
	}
	if code := resp.Operation.Code; code != "" {
		r.span.SetAttributes(attribute.String("graphql.error.code", code))
		r.span.SetStatus(codes.Error, code)
	}
	r.span.End(trace.WithTimestamp(done))
}

// judge counts what the router itself took for an operation, and logs a slow one. The caller holds the lock of r.
func (w watcher) judge(ctx context.Context, req *serve.Request, r *request, done time.Time, op serve.Operation) {
	took := done.Sub(r.began)
	if w.metrics != nil && op.Kind != "" {
		w.metrics.overheads.of(op.Kind).Observe((took - op.Subgraphs).Seconds())
	}
	if w.cfg.SlowOperations > 0 && took >= w.cfg.SlowOperations {
		r.logSlow(ctx, req.ID, done, op)
	}
}

// FetchStarted begins the span of a fetch.
func (r *request) FetchStarted(ctx context.Context, f execute.Started) context.Context {
	if r.span == nil {
		return ctx
	}
	ctx, span := r.t.tracer.Start(trace.ContextWithSpan(ctx, r.span), "fetch "+f.Subgraph, trace.WithSpanKind(trace.SpanKindClient))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = append(r.open, openFetch{f, span})
	return ctx
}

// FetchEnded ends it.
func (r *request) FetchEnded(f execute.Ended) {
	if r.t.metrics != nil {
		r.t.metrics.countFetch(f)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.answered {
		r.ended = append(r.ended, f)
	}
	i := slices.IndexFunc(r.open, func(o openFetch) bool { return o.key == f.Started })
	if i < 0 {
		return
	}
	span := r.open[i].span
	r.open = slices.Delete(r.open, i, i+1)
	if span.IsRecording() {
		span.SetAttributes(
			attribute.String("subgraph", f.Subgraph), attribute.Int("fetch.id", f.Fetch.ID), attribute.Int("fetch.representations", f.Representations),
			attribute.Int("http.response.status_code", f.Status), attribute.Int("fetch.sent", f.Sent), attribute.Int("fetch.received", f.Received),
			attribute.Int("fetch.errors", f.Errors))
	}
	fail(span, f.Err)
	if f.Done.IsZero() {
		span.End()
		return
	}
	span.End(trace.WithTimestamp(f.Done))
}

func fail(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
}

// waited is for how long at least one fetch was under way. The caller holds mu.
func (r *request) waited() time.Duration {
	slices.SortFunc(r.ended, func(a, b execute.Ended) int { return a.Began.Compare(b.Began) })
	var total time.Duration
	var until time.Time
	for _, f := range r.ended {
		from := f.Began
		if from.Before(until) {
			from = until
		}
		if f.Done.After(from) {
			total += f.Done.Sub(from)
			until = f.Done
		}
	}
	return total
}
