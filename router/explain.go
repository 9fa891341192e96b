package router

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/serve"
)

// explainHeader is the request header that asks for extensions.plan: with the value plan instead of executing the
// operation, with analyze in addition to its answer, with what each fetch took.
const explainHeader = "Agora-Explain"

// explained is extensions.plan. The fetches are a graph, by their dependsOn: a fetch starts as soon as those that it
// depends on have ended. Text is the same in the notation that federation routers have in common.
type explained struct {
	plan.Explanation
	Fetches []explainedFetch `json:"fetches"`
	Text    string           `json:"text"`
	// Micros is the time from the plan to the end of execution in microseconds; only of analyze. Of an event of a
	// subscription it begins with the first fetch that completes the event.
	Micros *int64 `json:"micros,omitempty"`
}

type explainedFetch struct {
	// Kind is root, entities or introspection; the latter is no request, the router answers it itself.
	Kind string `json:"kind"`
	plan.ExplainedFetch
	// Deferred says that the first part of the answer doesn't wait for it.
	Deferred bool `json:"deferred,omitempty"`
	// Runs are the requests that the fetch took, only of analyze: mostly one; none if there was nothing to ask; several
	// if the values of contexts differed.
	Runs []run `json:"runs,omitempty"`
}

// run is one request as it went.
type run struct {
	// StartMicros and EndMicros are relative to the beginning of Micros.
	StartMicros int64 `json:"startMicros"`
	EndMicros   int64 `json:"endMicros"`
	// Objects take the answer; Representations were sent, equal ones once.
	Objects         int `json:"objects"`
	Representations int `json:"representations"`
	// BytesSent and BytesReceived count the bodies.
	BytesSent     int `json:"bytesSent"`
	BytesReceived int `json:"bytesReceived"`
	// Status is the HTTP status; 0 if there was no answer.
	Status int `json:"status"`
	// Errors counts what the response got by this request; Error says why there was no answer.
	Errors int    `json:"errors"`
	Error  string `json:"error,omitempty"`
}

// unexplained is the hook of a router with Config.Explain off.
type unexplained struct{}

// OnRequest refuses to explain.
func (unexplained) OnRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	if len(req.Header[explainHeader]) == 0 {
		return ctx, nil
	}
	return ctx, serve.Refuse(serve.Forbidden, "EXPLAIN_DISABLED", "This router does not show its plans: the header "+explainHeader+" needs explain to be on in its configuration.")
}

// explainer is the hook of a router with Config.Explain on.
type explainer struct{}

// OnRequest reads the header.
func (explainer) OnRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	if len(req.Header[explainHeader]) == 0 {
		return ctx, nil
	}
	switch mode := req.Header.Get(explainHeader); mode {
	case "plan", "analyze":
		return context.WithValue(ctx, explanationKey{}, &explanation{analyze: mode == "analyze"}), nil
	default:
		return ctx, serve.Refuse(serve.RequestError, serve.CodeBadRequest, "The header "+explainHeader+" is plan or analyze.")
	}
}

// OnPlan answers who wants nothing but the plan.
func (explainer) OnPlan(ctx context.Context, _ *serve.Request, p Planned) *serve.Response {
	e := explanationOf(ctx)
	if e == nil || e.analyze {
		return nil
	}
	e.plan = p.Plan
	return &serve.Response{
		Body: withPlan([]byte(`{"data":null}`), e.json()), Header: http.Header{"Cache-Control": {"no-store"}},
		Operation: serve.Operation{Name: p.Operation.Name, Kind: kinds[p.Plan.Kind]},
	}
}

// OnExecute has the explanation told of each fetch.
func (explainer) OnExecute(ctx context.Context, _ *serve.Request, p Planned) execute.Observer {
	e := explanationOf(ctx)
	if e == nil {
		return nil
	}
	e.plan, e.runs, e.began = p.Plan, make([][]run, len(p.Plan.Fetches)), time.Now()
	return e
}

// OnResponse adds what was observed.
func (explainer) OnResponse(ctx context.Context, _ *serve.Request, resp *serve.Response) {
	e := explanationOf(ctx)
	if e == nil || !e.analyze || e.plan == nil {
		return
	}
	resp.Body = withPlan(resp.Body, e.json())
	if kinds[e.plan.Kind] == "subscription" {
		e.again()
	}
}

type explanationKey struct{}

func explanationOf(ctx context.Context) *explanation {
	e, _ := ctx.Value(explanationKey{}).(*explanation)
	return e
}

// explanation belongs to one request.
type explanation struct {
	analyze bool
	plan    *plan.Plan

	mu    sync.Mutex
	began time.Time
	runs  [][]run // by the fetch's ID
}

// FetchStarted notes when the first one was, for an event of a subscription.
func (e *explanation) FetchStarted(ctx context.Context, _ execute.Started) context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.began.IsZero() {
		e.began = time.Now()
	}
	return ctx
}

// FetchEnded notes how it went.
func (e *explanation) FetchEnded(f execute.Ended) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := run{
		StartMicros: f.Began.Sub(e.began).Microseconds(), EndMicros: f.Done.Sub(e.began).Microseconds(),
		Objects: f.Objects, Representations: f.Representations, BytesSent: f.Sent, BytesReceived: f.Received,
		Status: f.Status, Errors: f.Errors,
	}
	if f.Err != nil {
		r.Error = f.Err.Error()
	}
	e.runs[f.Fetch.ID] = append(e.runs[f.Fetch.ID], r)
}

// again makes the explanation ready for the next event.
func (e *explanation) again() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.began = time.Time{}
	clear(e.runs)
}

// json is extensions.plan.
func (e *explanation) json() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := explained{Explanation: e.plan.Explain(), Text: e.plan.String()}
	for i, f := range out.Explanation.Fetches {
		next := explainedFetch{Kind: "root", ExplainedFetch: f, Deferred: e.plan.Fetches[i].Deferred}
		switch {
		case e.plan.Fetches[i].Subgraph == plan.Introspection:
			next.Kind = "introspection"
		case e.plan.Fetches[i].Root == nil:
			next.Kind = "entities"
		}
		if e.analyze {
			next.Runs = e.runs[i]
		}
		out.Fetches = append(out.Fetches, next)
	}
	if e.analyze {
		micros := int64(0)
		if !e.began.IsZero() {
			micros = time.Since(e.began).Microseconds()
		}
		out.Micros = &micros
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		panic("explain: " + err.Error()) // there is nothing but strings and numbers in it
	}
	return bytes.TrimSpace(b.Bytes())
}

// withPlan is a copy of a response with extensions.plan.
func withPlan(body, explanation []byte) []byte {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || len(body) < 3 {
		return body
	}
	if members["extensions"] == nil {
		out := append(make([]byte, 0, len(body)+len(explanation)+32), body[:bytes.LastIndexByte(body, '}')]...)
		out = append(out, `,"extensions":{"plan":`...)
		return append(append(out, explanation...), "}}"...)
	}
	var extensions map[string]json.RawMessage
	if json.Unmarshal(members["extensions"], &extensions) != nil || extensions == nil {
		return body
	}
	extensions["plan"] = explanation
	members["extensions"], _ = json.Marshal(extensions)
	out, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return out
}
