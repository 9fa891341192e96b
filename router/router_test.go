package router_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

const (
	link     = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"]) `
	usersSDL = link + `type Query { me: User } type Subscription { signedIn: User }
		type User @key(fields: "id") { id: ID! name: String }`
	reviewsSDL = link + `type User @key(fields: "id") { id: ID! stars: Int }`

	ada       = `{"__typename":"User","id":"1","name":"Ada"}`
	question  = `{ me { name stars } }`
	adasStars = `{"data":{"me":{"name":"Ada","stars":5}}}`
)

// composed is the supergraph SDL of users and reviews, with further subgraphs.
func composed(t testing.TB, more ...compose.Subgraph) string {
	t.Helper()
	result, err := compose.Compose(append(more,
		compose.Subgraph{Name: "users", URL: "http://users/graphql", SDL: usersSDL},
		compose.Subgraph{Name: "reviews", URL: "http://reviews/graphql", SDL: reviewsSDL},
	), compose.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return result.SDL
}

// fixed is a subgraph that answers everything alike.
type fixed struct {
	answer string
	events []string
}

// Send answers.
func (f fixed) Send(context.Context, *transport.Request) (*transport.Response, error) {
	return &transport.Response{Status: 200, Body: []byte(f.answer)}, nil
}

// Subscribe streams the events.
func (f fixed) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return &events{f.events}, nil
}

type events struct{ left []string }

// Next is the next event.
func (e *events) Next(context.Context) ([]byte, error) {
	if len(e.left) == 0 {
		return nil, io.EOF
	}
	next := e.left[0]
	e.left = e.left[1:]
	return []byte(next), nil
}

// Close does nothing.
func (*events) Close() error { return nil }

func subgraphs() map[string]transport.Transport {
	return map[string]transport.Transport{
		"users": fixed{
			answer: `{"data":{"me":` + ada + `}}`,
			events: []string{`{"data":{"signedIn":` + ada + `}}`, `{"data":{"signedIn":` + strings.Replace(ada, "Ada", "Bea", 1) + `}}`},
		},
		"reviews": fixed{answer: `{"data":{"_entities":[{"stars":5}]}}`},
	}
}

func newRouter(t testing.TB, cfg router.Config) *router.Router {
	t.Helper()
	if cfg.Supergraph == "" {
		cfg.Supergraph = composed(t)
	}
	if cfg.Transports == nil {
		cfg.Transports = subgraphs()
	}
	r, err := router.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ask posts a query at the front door and returns status and body. Headers are name, value, ….
func ask(t testing.TB, handler http.Handler, query string, header ...string) (int, string) {
	t.Helper()
	rec := post(handler, query, header...)
	return rec.Code, rec.Body.String()
}

func post(handler http.Handler, query string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest("POST", "/graphql", strings.NewReader(fmt.Sprintf(`{"query":%q}`, query)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, req)
	return rec
}

// diary writes down what hooks and observers of one name are told.
type diary struct {
	name string
	mu   *sync.Mutex
	text *strings.Builder
}

type seenBy struct{}

func (d diary) write(ctx context.Context, what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.text, "%s: %s (seen by %v)\n", d.name, what, ctx.Value(seenBy{}))
}

// OnRequest marks the context.
func (d diary) OnRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	d.write(ctx, "request "+req.OperationName)
	seen, _ := ctx.Value(seenBy{}).(string)
	return context.WithValue(ctx, seenBy{}, seen+d.name), nil
}

// OnPlan sees the plan.
func (d diary) OnPlan(ctx context.Context, _ *serve.Request, p router.Planned) *serve.Response {
	d.write(ctx, fmt.Sprintf("plan of %d fetches", len(p.Plan.Fetches)))
	return nil
}

// OnExecute observes.
func (d diary) OnExecute(context.Context, *serve.Request, router.Planned) execute.Observer { return d }

// FetchStarted is of the observer.
func (d diary) FetchStarted(ctx context.Context, f execute.Started) context.Context {
	d.write(ctx, "observes "+f.Subgraph)
	return ctx
}

// FetchEnded is of the observer.
func (diary) FetchEnded(execute.Ended) {}

// OnFetch sees both sides of a fetch.
func (d diary) OnFetch(ctx context.Context, subgraph string, req *transport.Request, send router.Send) (*transport.Response, error) {
	d.write(ctx, "to "+subgraph)
	resp, err := send(ctx, req)
	d.write(ctx, "from "+subgraph)
	return resp, err
}

// OnResponse sees the response.
func (d diary) OnResponse(ctx context.Context, _ *serve.Request, resp *serve.Response) {
	d.write(ctx, "response "+string(resp.Body))
}

func diaries() (first, second diary) {
	mu, text := &sync.Mutex{}, &strings.Builder{}
	return diary{"a", mu, text}, diary{"b", mu, text}
}

func TestHooksSeeARequestOnItsWholeWayInTheirOrder(t *testing.T) {
	a, b := diaries()
	if _, body := ask(t, newRouter(t, router.Config{Hooks: []router.Hook{a, b}}), question); body != adasStars {
		t.Errorf("answer %s, want %s", body, adasStars)
	}
	want := `a: request  (seen by <nil>)
b: request  (seen by a)
a: plan of 2 fetches (seen by ab)
b: plan of 2 fetches (seen by ab)
a: observes users (seen by ab)
b: observes users (seen by ab)
a: to users (seen by ab)
b: to users (seen by ab)
b: from users (seen by ab)
a: from users (seen by ab)
a: observes reviews (seen by ab)
b: observes reviews (seen by ab)
a: to reviews (seen by ab)
b: to reviews (seen by ab)
b: from reviews (seen by ab)
a: from reviews (seen by ab)
a: response ` + adasStars + ` (seen by ab)
b: response ` + adasStars + ` (seen by ab)
`
	if diff := cmp.Diff(want, a.text.String()); diff != "" {
		t.Errorf("hooks saw (-want +got):\n%s", diff)
	}
}

func TestHooksSeeEachEventOfASubscription(t *testing.T) {
	a, _ := diaries()
	rec := post(newRouter(t, router.Config{Hooks: []router.Hook{a}}), `subscription { signedIn { name stars } }`, "Accept", "text/event-stream")
	if got := strings.Count(rec.Body.String(), "event: next"); got != 2 {
		t.Errorf("%d events in %s", got, rec.Body)
	}
	want := `a: request  (seen by <nil>)
a: plan of 2 fetches (seen by a)
a: observes reviews (seen by a)
a: to reviews (seen by a)
a: from reviews (seen by a)
a: response {"data":{"signedIn":{"name":"Ada","stars":5}}} (seen by a)
a: observes reviews (seen by a)
a: to reviews (seen by a)
a: from reviews (seen by a)
a: response {"data":{"signedIn":{"name":"Bea","stars":5}}} (seen by a)
`
	if diff := cmp.Diff(want, a.text.String()); diff != "" {
		t.Errorf("the hook saw (-want +got):\n%s", diff)
	}
}

func TestHooksChangeRefuseAndReplace(t *testing.T) {
	type hook = router.Hook
	request := func(change func(req *serve.Request)) hook {
		return router.RequestFunc(func(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
			change(req)
			return ctx, nil
		})
	}
	refusal := func() *serve.Response { return serve.Refuse(serve.Forbidden, "NOT_TODAY", "Come back tomorrow.") }
	const refused = `{"errors":[{"message":"Come back tomorrow.","extensions":{"code":"NOT_TODAY"}}]}`
	fetch := func(f router.FetchFunc) hook { return f }
	for name, c := range map[string]struct {
		hooks  []hook
		status int
		want   string
	}{
		"a request is changed": {[]hook{request(func(req *serve.Request) { req.Query = `{ me { stars } }` })}, 200, `{"data":{"me":{"stars":5}}}`},
		"a request is refused, and the response hooks see it": {
			[]hook{
				router.RequestFunc(func(ctx context.Context, _ *serve.Request) (context.Context, *serve.Response) { return ctx, refusal() }),
				request(func(*serve.Request) { t.Error("a later hook sees a refused request") }),
				router.ResponseFunc(func(_ context.Context, _ *serve.Request, resp *serve.Response) {
					resp.Body = append(bytes.Clone(resp.Body), ' ')
				}),
			}, 403, refused + " ",
		},
		"a plan is refused": {[]hook{
			router.PlanFunc(func(context.Context, *serve.Request, router.Planned) *serve.Response { return refusal() }),
			fetch(func(context.Context, string, *transport.Request, router.Send) (*transport.Response, error) {
				t.Error("a refused plan is executed")
				return nil, io.EOF
			}),
		}, 403, refused},
		"a fetch is answered by the hook": {[]hook{
			fetch(func(ctx context.Context, subgraph string, req *transport.Request, send router.Send) (*transport.Response, error) {
				if subgraph == "reviews" {
					return &transport.Response{Status: 200, Body: []byte(`{"data":{"_entities":[{"stars":1}]}}`)}, nil
				}
				return send(ctx, req)
			}),
		}, 200, `{"data":{"me":{"name":"Ada","stars":1}}}`},
		"a fetch that panics is one subgraph that fails": {[]hook{
			fetch(func(ctx context.Context, subgraph string, req *transport.Request, send router.Send) (*transport.Response, error) {
				if subgraph == "reviews" {
					panic("oops")
				}
				return send(ctx, req)
			}),
		}, 200, `{"errors":[{"message":"subgraph \"reviews\" could not be reached","path":["me","stars"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","serviceName":"reviews"}}],"data":{"me":{"name":"Ada","stars":null}}}`},
		"a response gets headers and another body": {[]hook{
			router.ResponseFunc(func(_ context.Context, _ *serve.Request, resp *serve.Response) { resp.Body = []byte(`{"data":null}`) }),
		}, 200, `{"data":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := ask(t, newRouter(t, router.Config{Hooks: c.hooks}), question)
			if status != c.status || body != c.want {
				t.Errorf("answer %d %s, want %d %s", status, body, c.status, c.want)
			}
		})
	}
}

func TestAHookThatPanicsFailsItsRequestAlone(t *testing.T) {
	r := newRouter(t, router.Config{Hooks: []router.Hook{router.RequestFunc(
		func(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
			if req.Header.Get("X-Panic") != "" {
				panic("oops")
			}
			return ctx, nil
		})}})
	if status, _ := ask(t, r, question, "X-Panic", "yes"); status != 500 {
		t.Errorf("status %d, want 500", status)
	}
	if _, body := ask(t, r, question); body != adasStars {
		t.Errorf("the next request: %s", body)
	}
}

func TestAValueThatIsNoHookIsRefused(t *testing.T) {
	for _, value := range []router.Hook{nil, 1, func(context.Context, *serve.Request) {}} {
		_, err := router.New(router.Config{Supergraph: composed(t), Hooks: []router.Hook{value}})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("hook %T implements none of RequestHook", value)) {
			t.Errorf("New with the hook %T: %v", value, err)
		}
	}
}

func TestASupergraphIsReplacedUnderLoad(t *testing.T) {
	before := composed(t)
	after := composed(t, compose.Subgraph{Name: "extra", URL: "http://extra", SDL: link + `type Query { extra: Int }`})
	r := newRouter(t, router.Config{Supergraph: before})
	var load sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if status, body := ask(t, r, question); status != 200 || body != adasStars {
					t.Errorf("under load: %d %s", status, body)
					return
				}
			}
		})
	}
	for range 10 {
		for _, sdl := range []string{after, before} {
			if err := r.Load(sdl); err != nil {
				t.Error(err)
			}
		}
		if err := r.Load("type Query {"); err == nil {
			t.Error("a supergraph that does not parse is loaded")
		}
	}
	close(stop)
	load.Wait()
	if err := r.Load(after); err != nil {
		t.Fatal(err)
	}
	if len(r.Supergraph().Subgraphs) != 3 {
		t.Errorf("%d subgraphs, want 3", len(r.Supergraph().Subgraphs))
	}
}

func TestTwoRoutersInOneProgramShareNothing(t *testing.T) {
	other := subgraphs()
	other["users"] = fixed{answer: `{"data":{"me":` + strings.Replace(ada, "Ada", "Bea", 1) + `}}`}
	a, b := diaries()
	one := newRouter(t, router.Config{Hooks: []router.Hook{a}})
	two := newRouter(t, router.Config{Hooks: []router.Hook{b}, Transports: other, HideSchema: true})
	mux := http.NewServeMux()
	mux.Handle("/one/", http.StripPrefix("/one", one))
	mux.Handle("/two/", http.StripPrefix("/two", two))
	for range 2 {
		if _, body := ask(t, one, `{ me { name } }`); body != `{"data":{"me":{"name":"Ada"}}}` {
			t.Errorf("one: %s", body)
		}
		if _, body := ask(t, two, `{ me { name } }`); body != `{"data":{"me":{"name":"Bea"}}}` {
			t.Errorf("two: %s", body)
		}
	}
	if _, body := ask(t, one, `{ __typename __schema { queryType { name } } }`); !strings.Contains(body, `"queryType"`) {
		t.Errorf("one: %s", body)
	}
	if status, body := ask(t, two, `{ __schema { queryType { name } } }`); status != 400 {
		t.Errorf("two shows its schema: %s", body)
	}
	if text := a.text.String(); strings.Count(text, "a: request") != 3 || strings.Count(text, "b: request") != 3 {
		t.Errorf("each hook sees the requests of its own router:\n%s", text)
	}
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequest("GET", "/two/health/ready", nil))
	if rec.Code != 200 {
		t.Errorf("below a prefix: %d %s", rec.Code, rec.Body)
	}
}

func TestADocumentIsPlannedBeforeAnybodySendsIt(t *testing.T) {
	var plans atomic.Int32
	r := newRouter(t, router.Config{Hooks: []router.Hook{router.PlanFunc(func(context.Context, *serve.Request, router.Planned) *serve.Response {
		plans.Add(1)
		return nil
	})}})
	if err := r.Warm(t.Context(), question+` query Other { me { stars } }`); err == nil || !strings.Contains(err.Error(), "anonymous") {
		t.Errorf("a document that is not valid: %v", err)
	}
	if err := r.Warm(t.Context(), `query A { me { name } } query B { me { stars } }`); err != nil {
		t.Error(err)
	}
	if plans.Load() != 0 {
		t.Error("hooks are told of requests that nobody made")
	}
}

func TestMemoryStaysFlatOverReloads(t *testing.T) {
	sdl := composed(t)
	r := newRouter(t, router.Config{Supergraph: sdl})
	held := func(loads int) uint64 {
		for range loads {
			if err := r.Load(sdl); err != nil {
				t.Fatal(err)
			}
			if status, body := ask(t, r, question); status != 200 {
				t.Fatalf("%d %s", status, body)
			}
		}
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	if before, after := held(50), held(1000); after > before+before/4+1<<20 {
		t.Errorf("%d bytes after 50 loads, %d after 1,000 more", before, after)
	}
}
