package router

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/introspection"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/overload"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/ratelimit"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/traffic"
	"github.com/agora-supergraph/agora/router/transport"
)

// Config is what a Router needs. The zero value of each field but Supergraph works.
type Config struct {
	// Supergraph is the supergraph SDL, of our composition or another's.
	Supergraph string
	// Transports reach subgraphs, by name. A subgraph that is not in it is reached over HTTP.
	Transports map[string]transport.Transport
	// HTTP configures the transport to a subgraph by its name; "" is the default for those not named. An empty URL
	// means the routing URL in the supergraph.
	HTTP map[string]transport.HTTPConfig
	// Traffic guards a subgraph by its name: retries, hedges, breaker, concurrency; "" is for those not named. It is for those
	// in Transports, too.
	Traffic map[string]traffic.Config
	// TrafficEvents tells what Traffic does for a subgraph. Nil is not told.
	TrafficEvents func(subgraph string) traffic.Events
	// Share sends identical queries that are in flight to a subgraph over HTTP at the same time once, and has one stream from
	// it for identical subscriptions: worth it where many
	// clients ask the same at once. What is passed on of the clients' headers has to be identical, too.
	Share bool
	// ShareRequests answers queries of clients that are identical, and in flight at the same time, by one execution: worth it
	// where many clients ask the same at once. Identical are document, operation, variables, who asks, and all headers that
	// subgraphs get. Of the hooks, an ObserveHook and a FetchHook see what the first of them makes.
	ShareRequests bool
	// Headers are the rules for headers from clients to subgraphs, and back.
	Headers headers.Config
	// Signer signs the tokens that rules of Headers insert from identity.bearer and identity.token; nil for none.
	Signer *auth.Signer
	// Limits bound what operations may ask.
	Limits operation.Limits
	// Cost prices operations, and bounds what they may cost.
	Cost cost.Config
	// RateLimit bounds what a client may ask in a stretch of time.
	RateLimit ratelimit.Config
	// Overload bounds the operations that run at a time.
	Overload overload.Config
	// CacheBytes bounds the memory of what is kept of operations, about: their documents and plans. Zero means 64 MiB. What
	// was used of late is planned again when the supergraph changes, before it does.
	CacheBytes int
	// Plan bounds planning.
	Plan plan.Config
	// Execute bounds execution; its transports are set by the Router.
	Execute execute.Config
	// HideSchema refuses introspection.
	HideSchema bool
	// Overrides decides the labels of progressive overrides for a request; nil means that none is in force.
	Overrides func(ctx context.Context, label string) bool
	// Explain answers requests with the header Agora-Explain by the plan of their operation: for developers, since it shows
	// subgraphs and why they fail. Otherwise such requests are refused.
	Explain bool
	// Hooks are code of the embedding program on the way of a request.
	Hooks []Hook
	// Around puts something between the front door and the router, such as persisted documents; nil for nothing.
	Around func(serve.Engine) serve.Engine
	// Serve is the front door. Its Engine is set by the Router.
	Serve serve.Config
}

// Router answers GraphQL requests over one supergraph. It is an http.Handler, the whole front door, and a serve.Engine,
// what stands behind it. It is safe for concurrent use.
type Router struct {
	cfg   Config
	hooks hooks
	front *serve.Handler
	// limits and places are nil where nothing is bounded.
	limits *ratelimit.Limiter
	places *overload.Limiter
	graph  atomic.Pointer[graph]
	// requests are those in flight that others may join.
	requests requests

	// mu lets one Load happen at a time.
	mu sync.Mutex
	// reached are the ways to subgraphs, by their names. A supergraph that replaces another one keeps them, with their
	// connections and breakers, where the URL stays.
	reached map[string]reached
}

// graph is all that belongs to one supergraph: replaced as a whole when the supergraph changes.
type graph struct {
	supergraph *supergraph.Supergraph
	documents  *operation.Cache
	plans      *cache[planKey, *planned]
	shapes     *cache[shapeKey, *plan.Plan]
	executor   *execute.Executor
	headers    *headers.Policy
	// pricer prices operations; nil if they aren't.
	pricer *cost.Pricer
	// replaced ends, by retire, when another supergraph has taken this one's place.
	replaced context.Context
	retire   context.CancelFunc
}

// New returns a router over cfg.Supergraph, or says why that can't be loaded, or what else of cfg can't work.
func New(cfg Config) (*Router, error) {
	r := &Router{cfg: cfg}
	var err error
	if r.hooks, err = newHooks(cfg); err != nil {
		return nil, err
	}
	if err := r.Load(cfg.Supergraph); err != nil {
		return nil, err
	}
	if len(cfg.RateLimit.Rules) > 0 {
		if r.limits, err = ratelimit.New(cfg.RateLimit); err != nil {
			return nil, err
		}
	}
	if cfg.Overload.Enabled {
		if r.places, err = overload.New(cfg.Overload); err != nil {
			return nil, err
		}
	}
	door := cfg.Serve
	door.Ready = r.Ready
	door.Engine = r
	if cfg.Around != nil {
		door.Engine = cfg.Around(r)
	}
	if r.front, err = serve.New(door); err != nil {
		return nil, err
	}
	return r, nil
}

// ServeHTTP answers at the front door: GraphQL at Serve.Path, health checks, the Playground.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.front.ServeHTTP(w, req) }

// Front is the front door, to serve on a listener and to drain.
func (r *Router) Front() *serve.Handler { return r.front }

// Load replaces the supergraph. Requests that have begun end on the one that they began with. If the new one can't be
// loaded, the router goes on with the old one.
func (r *Router) Load(sdl string) error {
	sg, err := supergraph.Load(sdl)
	if err != nil {
		return fmt.Errorf("load supergraph: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	policy, err := headers.New(r.cfg.Headers, names(sg))
	if err != nil {
		return err
	}
	cfg := r.cfg.Execute
	cfg.Logger = r.cfg.Serve.Logger
	if cfg.Transports, err = r.transports(sg, policy); err != nil {
		return err
	}
	cfg.Introspection = introspection.New(sg.API, introspection.Config{})
	most := cmp.Or(r.cfg.CacheBytes, defaultCacheBytes)
	next := &graph{
		supergraph: sg,
		documents:  operation.NewCache(sg, r.cfg.Limits, most*3/8),
		plans:      newCache(most*3/8, weighPlanned),
		shapes:     newCache(most/4, weighPlan),
		executor:   execute.New(cfg),
		headers:    policy,
	}
	next.replaced, next.retire = context.WithCancel(context.Background())
	if r.cfg.Cost.Enabled() {
		next.pricer = cost.New(sg, r.cfg.Cost)
	}
	if before := r.graph.Load(); before != nil {
		r.rewarm(before, next)
	}
	if before := r.graph.Swap(next); before != nil {
		before.retire() // after the swap: subscriptions look for what has come instead
	}
	return nil
}

// Supergraph is the supergraph that requests are answered over now.
func (r *Router) Supergraph() *supergraph.Supergraph { return r.graph.Load().supergraph }

// Execute answers a query or a mutation.
func (r *Router) Execute(ctx context.Context, req *serve.Request) *serve.Response {
	ctx, refused := r.hooks.onRequest(ctx, req)
	if refused != nil {
		return refused
	}
	return r.hooks.onResponse(ctx, req, r.execute(ctx, req))
}

func (r *Router) execute(ctx context.Context, req *serve.Request) *serve.Response {
	g := r.graph.Load()
	p, refused := r.prepare(ctx, g, req)
	if refused != nil {
		return refused
	}
	if p.kind == operation.Subscription {
		return serve.Refuse(serve.StreamRequired, "SUBSCRIPTION_NEEDS_STREAM", "A subscription is answered over server-sent events (Accept: text/event-stream) or a WebSocket.")
	}
	place, refused := r.enter(ctx, req, p)
	if refused != nil {
		return refused
	}
	defer leave(ctx, place)
	if ctx, refused = withFiles(ctx, req, p.kind); refused != nil {
		return refused
	}
	return r.answer(ctx, g, p, req)
}

// Subscribe starts a subscription, or answers an operation that is none.
func (r *Router) Subscribe(ctx context.Context, req *serve.Request) (serve.Subscription, *serve.Response) {
	ctx, refused := r.hooks.onRequest(ctx, req)
	if refused != nil {
		return nil, refused
	}
	events, answer := r.subscribe(ctx, req)
	if answer != nil {
		return nil, r.hooks.onResponse(ctx, req, answer)
	}
	return events, nil
}

func (r *Router) subscribe(ctx context.Context, req *serve.Request) (serve.Subscription, *serve.Response) {
	g := r.graph.Load()
	p, refused := r.prepare(ctx, g, req)
	if refused != nil {
		return nil, refused
	}
	place, refused := r.enter(ctx, req, p)
	if refused != nil {
		return nil, refused
	}
	defer leave(ctx, place)
	if p.kind != operation.Subscription {
		return nil, r.answer(ctx, g, p, req)
	}
	events, answer := g.executor.Subscribe(ctx, p.plan, &p.request)
	if answer != nil {
		return nil, p.describe(answer)
	}
	return &subscription{router: r, req: req, ctx: ctx, graph: g, p: p, events: events}, nil
}

// prepared is a request that is ready to be executed.
type prepared struct {
	kind      operation.Kind
	name      string
	operation *operation.Operation
	plan      *plan.Plan
	request   execute.Request
	// source is what headers to subgraphs are made of.
	source source
	// returned collects headers for the client, if rules ask for any.
	returned headers.Response
	// cost prices the operation, if operations are priced; estimate is what it may cost. costHeader tells the client.
	cost       *cost.Cost
	estimate   float64
	costHeader string
	// verdict is what the client is told of its rate limits.
	verdict ratelimit.Verdict
}

// prepare compiles a request, and lets it in if nothing speaks against that.
func (r *Router) prepare(ctx context.Context, g *graph, req *serve.Request) (*prepared, *serve.Response) {
	p, refused := r.compile(ctx, g, req)
	if refused != nil {
		return nil, refused
	}
	if refused := r.admit(ctx, req, p); refused != nil {
		return nil, refused
	}
	if refused := r.hooks.onPlan(ctx, req, p); refused != nil {
		return nil, refused
	}
	r.hooks.onExecute(ctx, req, p)
	return p, nil
}

// compile goes the way from a request's text to its plan. All but the variables is found in caches for an
// operation that was seen before.
func (r *Router) compile(ctx context.Context, g *graph, req *serve.Request) (*prepared, *serve.Response) {
	document, errs := r.document(ctx, g, req.Query)
	if errs != nil {
		return nil, refuse(errs)
	}
	selected, err := document.Operation(req.OperationName)
	if err != nil {
		return nil, refuse(err)
	}
	if req.QueryOnly && selected.Kind == operation.Mutation {
		return nil, serve.Refuse(serve.MutationByGET, serve.CodeMethodNotAllowed, "GET is for queries: send a mutation by POST.")
	}
	values, err := selected.Coerce(req.Variables)
	if err != nil {
		return nil, refuse(err)
	}
	variant := deferring(selected, selected.Variant(values, req.Claims.Meets), values, req)
	for i, label := range g.supergraph.Labels() {
		if r.cfg.Overrides != nil && r.cfg.Overrides(ctx, label) {
			variant.Overrides = variant.Overrides.With(i)
		}
	}
	planned, err := g.plans.get(ctx, planKey{selected, variant}, func() (*planned, error) {
		// Others may wait for the same plan: it doesn't end with the client that came first.
		ctx := context.WithoutCancel(ctx)
		return watched(ctx, r.hooks, Normalise, func() (*planned, error) { return r.plan(ctx, g, document, selected, variant) })
	})
	if err != nil {
		return nil, refuse(err)
	}
	p := &prepared{
		kind: selected.Kind, name: selected.Name, operation: planned.operation, plan: planned.plan, cost: planned.cost,
		request: execute.Request{ID: req.ID, Variables: planned.operation.Values(values), Format: format(req.Increments)},
		source:  source{req, r.cfg.Signer},
	}
	p.request.Headers = g.headers.Request(req.Header, &p.source)
	if p.kind != operation.Subscription {
		p.collect(g.headers)
	}
	return p, nil
}

// plan makes the plan of an operation, or finds that of another one that differs in nothing but literals.
func (r *Router) plan(ctx context.Context, g *graph, document *operation.Document, selected *operation.Selected, variant operation.Variant) (*planned, error) {
	op, err := selected.Normalise(variant)
	if err != nil {
		return nil, err
	}
	if r.cfg.HideSchema && asksSchema(op) {
		return nil, &operation.Error{Message: "Introspection is not allowed here.", Code: "INTROSPECTION_DISABLED"}
	}
	p, err := g.shapes.get(ctx, shapeKey{string(op.AppendShape(nil)), variant.Overrides}, func() (*plan.Plan, error) {
		cfg := r.cfg.Plan
		cfg.Labels = map[string]bool{}
		for i, label := range g.supergraph.Labels() {
			cfg.Labels[label] = variant.Overrides.Has(i)
		}
		return watched(ctx, r.hooks, Build, func() (*plan.Plan, error) { return plan.Build(ctx, g.supergraph, op, cfg) })
	})
	made := &planned{text: document.Text(), operation: op, plan: p}
	if g.pricer != nil && err == nil {
		made.cost = g.pricer.Compile(op)
	}
	return made, err
}

func asksSchema(op *operation.Operation) bool {
	return slices.ContainsFunc(op.Selections, func(f *operation.Field) bool { return f.Name == "__schema" || f.Name == "__type" })
}

// describe makes the response of an execution one of serve's.
func (p *prepared) describe(response *execute.Response) *serve.Response {
	answer := &serve.Response{
		Body: response.Body, Outcome: serve.Executed, Free: response.Release,
		Operation: p.describeOperation(response.Code),
	}
	p.tell(answer, response)
	return answer
}

func (p *prepared) describeOperation(code string) serve.Operation {
	return serve.Operation{Name: p.name, Kind: kinds[p.kind], Code: code, Cost: p.estimate}
}

var kinds = [...]string{operation.Query: "query", operation.Mutation: "mutation", operation.Subscription: "subscription"}

// refuse is the response to a request that is not executed.
func refuse(err error) *serve.Response {
	var errs operation.Errors
	var one *operation.Error
	switch {
	case errors.As(err, &errs):
	case errors.As(err, &one):
		errs = operation.Errors{one}
	default:
		return serve.Refuse(serve.RequestError, "QUERY_PLANNING_FAILED", err.Error())
	}
	body := append(errs.AppendJSON([]byte(`{"errors":`)), '}')
	return &serve.Response{Body: body, Outcome: serve.RequestError, Operation: serve.Operation{Code: errs[0].Code}}
}

var (
	_ serve.Engine = (*Router)(nil)
	_ http.Handler = (*Router)(nil)
)
