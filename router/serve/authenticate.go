package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/agora-supergraph/agora/router/auth"
)

// Verifier tells who a request comes from: auth.Verifier is one. No token is nil, nil: anonymous. A token that
// is not good is an *auth.Error; any other error says that tokens can't be judged now. It is safe for
// concurrent use.
type Verifier interface {
	FromHeader(ctx context.Context, header http.Header) (*auth.Claims, error)
}

var _ Verifier = (*auth.Verifier)(nil)

// authenticate sets the claims of req by its header. A bad token is refused rather than taken for none: the
// client would see data missing and not know why.
func (h *Handler) authenticate(ctx context.Context, req *Request) *refusal {
	if h.cfg.Verifier == nil {
		return nil
	}
	claims, err := h.cfg.Verifier.FromHeader(ctx, req.Header)
	if err == nil {
		req.Claims = claims
		return nil
	}
	var refused *auth.Error
	if errors.As(err, &refused) {
		h.cfg.Logger.LogAttrs(
			ctx, slog.LevelDebug, "token refused",
			slog.String("id", req.ID), slog.String("reason", refused.Reason), slog.Any("error", refused.Err),
		)
		return &refusal{http.StatusUnauthorized, CodeUnauthenticated, refused.Error()}
	}
	h.cfg.Logger.LogAttrs(ctx, slog.LevelError, "authenticate", slog.String("id", req.ID), slog.Any("error", err))
	return &refusal{http.StatusServiceUnavailable, CodeUnavailable, "access tokens can't be verified now"}
}

// expiry is when a stream must end because the token that opened it is no longer good; zero is never.
func (h *Handler) expiry(claims *auth.Claims) time.Time {
	if claims == nil || h.cfg.Streams.OutliveToken {
		return time.Time{}
	}
	return claims.Expires
}
