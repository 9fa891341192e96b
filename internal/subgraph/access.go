package subgraph

import (
	"crypto/subtle"
	"net/http"
)

// RouterHeader is the header by which the router shows a subgraph that it is the router. Who the client is, is another
// matter, and said by Authorization.
const RouterHeader = "Agora-Router"

// admits reports whether a request comes from the router or from another service: whatever the token of a person may do,
// representations and federation's own fields are not for them to ask.
func (s *Server) admits(r *http.Request) bool {
	if len(s.cfg.RouterSecrets) == 0 {
		return true
	}
	shown := r.Header.Get(RouterHeader)
	for _, secret := range s.cfg.RouterSecrets {
		if subtle.ConstantTimeCompare([]byte(shown), []byte(secret)) == 1 && secret != "" {
			return true
		}
	}
	who, err := s.cfg.Verifier.FromHeader(r.Context(), r.Header)
	return err == nil && who.Service != ""
}
