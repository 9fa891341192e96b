package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// compare answers a request both ways. It reports whether the request was one that a router answers.
func (o *oracle) compare(r request) (*difference, bool) {
	p, values, d := o.plan(r)
	if p == nil {
		return d, false
	}
	o.complaints, o.done, o.failed = nil, [2][]string{}, false
	if p.Kind == operation.Subscription {
		return o.compareEvents(p, r, values), true
	}
	if len(p.Deferred) > 0 {
		response, err := o.inParts(p, &execute.Request{Variables: values, Format: execute.Format(len(r.query) % 2)})
		if err != nil {
			return o.differ("parts", p, err.Error()), true
		}
		return o.judge(p, r, "", response), true
	}
	response := o.executor.Execute(context.Background(), p, &execute.Request{Variables: values})
	defer response.Release()
	return o.judge(p, r, "", response), true
}

// compareEvents compares the events of a subscription with what one server makes of them.
func (o *oracle) compareEvents(p *plan.Plan, r request, values [][]byte) *difference {
	sub, refused := o.executor.Subscribe(context.Background(), p, &execute.Request{Variables: values})
	if refused != nil {
		return o.differ("refused", p, string(refused.Body))
	}
	defer func() { _ = sub.Close() }()
	for n := range events {
		response, err := sub.Next(context.Background())
		if err != nil {
			return o.differ("no event", p, err.Error())
		}
		d := o.judge(p, r, fmt.Sprint(n+1), response)
		response.Release()
		if d != nil {
			return d
		}
	}
	if _, err := sub.Next(context.Background()); !errors.Is(err, io.EOF) {
		return o.differ("no end", p, fmt.Sprint(err))
	}
	return nil
}

type answered struct {
	Data   json.RawMessage
	Errors []struct {
		Message string
		Path    []any
	}
}

func (a *answered) errors() []string {
	var all []string
	for _, e := range a.Errors {
		all = append(all, text(map[string]any{"path": e.Path}))
	}
	return all
}

// judge says how a response differs from what one server answers.
func (o *oracle) judge(p *plan.Plan, r request, event string, response *execute.Response) *difference {
	var got answered
	if err := json.Unmarshal(response.Body, &got); err != nil {
		return &difference{"no JSON", string(response.Body)}
	}
	want := o.all.answer(r.query, decoded(r.variables), event)
	if len(p.Deferred) > 0 {
		want.b = []byte(canonical(want.b))
	}
	switch {
	case len(o.complaints) > 0:
		return o.differ("complaint", p, strings.Join(o.complaints, "\n"))
	case o.world.loose:
		return o.partial(p, r, event, &got)
	case o.failed && len(want.errors) > 0:
		// Null ends at the deferred fragment, where without one it would have gone on.
		return nil
	case string(got.Data) != string(want.b):
		return o.differ("other data", p, cmp.Diff(pretty(want.b), pretty(got.Data))+fmt.Sprint("\n", got.Errors))
	case len(got.Errors) > 0 && len(want.errors) == 0 && !want.hidden && !o.blind(), len(got.Errors) == 0 && len(want.errors) > 0:
		return o.differ("other errors", p, fmt.Sprint("got ", got.Errors, " want ", want.errors))
	case !want.hidden && !o.blind() && len(p.Deferred) == 0 && !slices.Equal(errorPaths(heard(want, want.errors)), errorPaths(heard(want, got.errors()))):
		return o.differ("other error paths", p, fmt.Sprint("got ", got.Errors, " want ", want.errors))
	case !slices.Equal(o.done[0], o.done[1]):
		return o.differ("other mutations", p, cmp.Diff(o.done[0], o.done[1]))
	}
	return nil
}

// blind reports whether subgraphs are asked about objects whose types they don't know: then they may answer an
// error about an object of a type for which the client asked nothing.
func (o *oracle) blind() bool {
	return slices.ContainsFunc(o.sg.Types, func(t *supergraph.Type) bool {
		return slices.ContainsFunc(t.In, func(p *supergraph.Presence) bool { return p != nil && p.InterfaceObject })
	})
}

func (o *oracle) differ(kind string, p *plan.Plan, detail string) *difference {
	detail += "\n" + p.String()
	for _, f := range p.Fetches {
		detail += "# " + f.Query + "\n"
	}
	return &difference{kind, detail}
}

func pretty(b []byte) any {
	var v any
	if json.Unmarshal(b, &v) != nil || string(b) == "null" {
		return string(b)
	}
	out, _ := json.MarshalIndent(v, "", " ")
	return strings.Split(string(out), "\n")
}
