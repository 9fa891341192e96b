package subgraph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/agora-supergraph/agora/internal/telemetry"
)

// watch is a request that is watched.
type watch struct {
	subgraph string
	began    time.Time
	// span is nil if nobody watches.
	span trace.Span
}

// watch begins to watch a request, which goes on with its caller's trace.
func (s *Server) watch(ctx context.Context, req *Request) (context.Context, watch) {
	ctx = telemetry.FromHeader(ctx, req.Header)
	w := watch{subgraph: s.cfg.Name}
	if !telemetry.Enabled() {
		return ctx, w
	}
	w.began = time.Now()
	ctx, w.span = telemetry.Start(ctx, s.cfg.Name, telemetry.Server,
		attribute.String("subgraph", s.cfg.Name), attribute.String("graphql.operation.name", req.OperationName), attribute.String("http.request.id", telemetry.Request(ctx)))
	return ctx, w
}

// end ends it with its answer.
func (w watch) end(response *graphql.Response) {
	if w.span == nil {
		return
	}
	failed := len(response.Errors) > 0
	telemetry.Requested(w.subgraph, w.began, failed)
	if failed {
		telemetry.End(w.span, response.Errors)
		return
	}
	telemetry.End(w.span, nil)
}

// watchField makes a span of each field that asks a resolver of ours. What a struct already has is not worth one.
func (s *Server) watchField(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx)
	if !field.IsResolver && field.Object != "Query" && field.Object != "Mutation" {
		return next(ctx)
	}
	name, began := field.Object+"."+field.Field.Name, time.Now()
	ctx, span := telemetry.Start(ctx, name, telemetry.Internal)
	value, err := next(ctx)
	telemetry.Resolved(s.cfg.Name, name, began, err != nil)
	telemetry.End(span, err)
	return value, err
}

// ask sends a request, and watches it.
func (c *Client) ask(ctx context.Context, req *Request) ([]byte, error) {
	began := time.Now()
	ctx, span := telemetry.Start(ctx, "ask as "+c.Service, telemetry.Client)
	telemetry.ToHeader(ctx, req.Header)
	body, err := c.send(ctx, req)
	telemetry.Asked(c.Service, began, err != nil)
	telemetry.End(span, err)
	return body, err
}
