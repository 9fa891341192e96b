package router

import (
	"context"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/serve"
)

// answer executes a query or mutation, whose answer may come in parts.
func (r *Router) answer(ctx context.Context, g *graph, p *prepared, req *serve.Request) *serve.Response {
	if len(p.plan.Deferred) == 0 {
		if r.cfg.ShareRequests && p.kind == operation.Query {
			return r.requests.answer(ctx, p, req.Claims, func(ctx context.Context) *execute.Response {
				return g.executor.Execute(ctx, p.plan, &p.request)
			})
		}
		return p.describe(g.executor.Execute(ctx, p.plan, &p.request))
	}
	first, rest := g.executor.ExecuteInParts(ctx, p.plan, &p.request)
	response := p.describe(first)
	if rest != nil {
		response.Rest = increments{rest, p, r, req, ctx}
	}
	return response
}

// deferring is the variant of a request whose answer may come in parts.
func deferring(selected *operation.Selected, variant operation.Variant, values [][]byte, req *serve.Request) operation.Variant {
	if req.Increments == serve.WholeAnswer {
		return variant
	}
	return selected.Deferring(variant, values)
}

// format is how the parts of an answer are written.
func format(f serve.IncrementFormat) execute.Format {
	if f == serve.LabelledPaths {
		return execute.Paths
	}
	return execute.Pending
}

// increments are the parts of an answer as serve sees them.
type increments struct {
	*execute.Increments
	p      *prepared
	router *Router
	req    *serve.Request
	ctx    context.Context
}

// Next waits for the next part.
func (i increments) Next() (*serve.Response, error) {
	response, err := i.Increments.Next()
	if err != nil {
		return nil, err
	}
	return i.router.hooks.onResponse(i.ctx, i.req, i.p.describe(response)), nil
}
