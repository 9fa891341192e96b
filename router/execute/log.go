package execute

import (
	"context"
	"log/slog"

	"github.com/agora-supergraph/agora/router/transport"
)

// Clients see of what has gone wrong with a subgraph only the kind, and of its own errors nothing where they are
// redacted. The log has the rest, but nothing of an answer that is no GraphQL response: who knows what it holds.

// logFailure says why a fetch brought nothing. Who has gone away without waiting has done so on purpose.
func (s *state) logFailure(f *fetchState, why failure) {
	if s.cfg.Logger == nil || why.code == transport.CodeCanceled {
		return
	}
	attributes := s.logged(f, why.code)
	attributes = append(attributes, slog.String("reason", why.message))
	if f.err != nil {
		attributes = append(attributes, slog.Any("error", f.err))
	}
	if r := f.response; r != nil {
		attributes = append(attributes, slog.Int("status", r.Status), slog.String("type", r.Header.Get("Content-Type")), slog.Int("bytes", len(r.Body)))
	}
	s.cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn, "subgraph failed", attributes...)
}

// logRedacted says what an error of a subgraph was that clients are not told.
func (s *state) logRedacted(f *fetchState, e *subgraphError) {
	if s.cfg.Logger == nil {
		return
	}
	attributes := append(s.logged(f, "DOWNSTREAM_SERVICE_ERROR"), slog.String("error", string(e.message)))
	for _, part := range []struct {
		key  string
		json []byte
	}{{"path", e.path}, {"extensions", e.extensions}} {
		if part.json != nil {
			attributes = append(attributes, slog.String(part.key, string(part.json)))
		}
	}
	s.cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn, "error of a subgraph", attributes...)
}

func (s *state) logged(f *fetchState, code string) []slog.Attr {
	return []slog.Attr{
		slog.String("id", s.req.ID), slog.String("subgraph", s.serviceName(f.fetch)), slog.Int("fetch", f.fetch.ID), slog.String("code", code),
	}
}
