package router

import (
	"context"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// withFiles lets a mutation's files go along to the subgraphs that its variables go to. Queries bring none: they may be sent
// twice, and shared.
func withFiles(ctx context.Context, req *serve.Request, kind operation.Kind) (context.Context, *serve.Response) {
	if req.Files == nil {
		return ctx, nil
	}
	if kind != operation.Mutation {
		return ctx, serve.Refuse(serve.BadRequest, serve.CodeBadRequest, "Files can only come with a mutation.")
	}
	files := make([]transport.File, len(req.Files))
	for i, f := range req.Files {
		files[i] = transport.File(f)
	}
	return transport.WithFiles(ctx, files), nil
}
