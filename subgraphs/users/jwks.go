package users

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// JWKSHandler serves the key set (RFC 7517), for /.well-known/jwks.json.
func (s *Service) JWKSHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "read the key set by GET", http.StatusMethodNotAllowed)
			return
		}
		set, err := s.JWKS(r.Context())
		if err != nil {
			s.cfg.Log.ErrorContext(r.Context(), "serve key set", "error", err)
			http.Error(w, "the key set is not available at this moment", http.StatusServiceUnavailable)
			return
		}
		body, err := json.Marshal(set)
		if err != nil {
			s.cfg.Log.ErrorContext(r.Context(), "serve key set", "error", err)
			http.Error(w, "the key set is not available at this moment", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(jwksLife.Seconds()/4)))
		w.Write(body)
	})
}
