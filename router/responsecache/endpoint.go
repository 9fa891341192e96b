package responsecache

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// endpoint lets others say what has changed, in the form of Apollo's router: a POST of a JSON list of targets, with
// Authorization: Bearer TOKEN. 202 says that it holds for all routers, 503 that only this one knows yet: sending it again
// does no harm.
type endpoint struct{ cache *Cache }

const maxBody = 1 << 20

// ServeHTTP invalidates what the body lists.
func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		e.answer(w, http.StatusMethodNotAllowed, "use POST", 0)
		return
	}
	if !e.allowed(r.Header.Get("Authorization")) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		e.answer(w, http.StatusUnauthorized, "the token of response_cache.invalidation is needed", 0)
		return
	}
	var targets []Target
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&targets); err != nil {
		e.answer(w, http.StatusBadRequest, "expected a JSON list of targets: "+err.Error(), 0)
		return
	}
	for i, t := range targets {
		if err := t.validate(); err != nil {
			e.answer(w, http.StatusBadRequest, fmt.Sprintf("target %d: %v", i, err), 0)
			return
		}
	}
	if err := e.cache.Invalidate(r.Context(), targets...); err != nil {
		e.answer(w, http.StatusServiceUnavailable, "only this router knows yet: the others' Redis is away", len(targets))
		return
	}
	e.answer(w, http.StatusAccepted, "", len(targets))
}

// allowed compares tokens in a time that says nothing about them.
func (e endpoint) allowed(authorization string) bool {
	token := strings.TrimPrefix(authorization, "Bearer ")
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(e.cache.cfg.Invalidation.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

func (endpoint) answer(w http.ResponseWriter, status int, message string, count int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // the client has gone if this fails
		Error       string `json:"error,omitempty"`
		Invalidated int    `json:"invalidated"`
	}{message, count})
}
