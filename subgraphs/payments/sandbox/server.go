package sandbox

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 64 << 10

// command is the body of a request. Which fields count depends on the path.
type command struct {
	Token  string      `json:"token,omitempty"`
	Order  string      `json:"order,omitempty"`
	Amount money.Money `json:"amount"`
	Result string      `json:"result,omitempty"`
}

// failure is the body of an answer that is no result.
type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// failures are the errors that have a code and a status of their own.
var failures = []struct {
	err    error
	status int
	code   string
}{
	{payments.ErrKeyUnknown, http.StatusNotFound, "key_unknown"},
	{payments.ErrTokenUnknown, http.StatusNotFound, "token_unknown"},
	{ErrKeyReused, http.StatusConflict, "key_reused"},
	{ErrRateLimited, http.StatusTooManyRequests, "rate_limited"},
	{ErrUnavailable, http.StatusInternalServerError, "unavailable"},
}

// keyHeader carries the key of a request.
const keyHeader = "Idempotency-Key"

// Handler is the sandbox's HTTP interface: JSON in and out, a key in Idempotency-Key with every POST, Config.APIKey as a
// bearer token. Pages of 3-D Secure need none: buyers see them.
//
//	POST /v1/charges                  {"token", "order", "amount": {"minorUnits", "currency"}} holds an amount
//	POST /v1/charges/{id}/confirm     {"result"}
//	POST /v1/charges/{id}/capture     {"amount"}, and likewise void and refund
//	GET  /v1/charges/{id}             how it stands
//	GET  /v1/requests/{key}           what became of a request
//	GET  /v1/methods/{token}          what a token stands for
//	GET  /v1/book                     what is held and taken, by order
//	GET  /3ds/{id}                    the page on which a buyer confirms
func (s *Sandbox) Handler() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("POST /v1/charges", serve(func(r *http.Request, c command) (any, error) {
		return s.Authorize(r.Context(), payments.Authorization{Key: r.Header.Get(keyHeader), Token: c.Token, Amount: c.Amount, Order: c.Order})
	}))
	api.HandleFunc("POST /v1/charges/{id}/confirm", serve(func(r *http.Request, c command) (any, error) {
		return s.Confirm(r.Context(), commandOn(r, c), c.Result)
	}))
	for verb, run := range map[string]func(context.Context, payments.Command) (payments.Result, error){"capture": s.Capture, "void": s.Void, "refund": s.Refund} {
		api.HandleFunc("POST /v1/charges/{id}/"+verb, serve(func(r *http.Request, c command) (any, error) { return run(r.Context(), commandOn(r, c)) }))
	}
	api.HandleFunc("GET /v1/charges/{id}", serve(func(r *http.Request, _ command) (any, error) { return s.Look(r.Context(), r.PathValue("id")) }))
	api.HandleFunc("GET /v1/requests/{key}", serve(func(r *http.Request, _ command) (any, error) { return s.Retrieve(r.Context(), r.PathValue("key")) }))
	api.HandleFunc("GET /v1/methods/{token}", serve(func(r *http.Request, _ command) (any, error) { return s.Method(r.Context(), r.PathValue("token")) }))
	api.HandleFunc("GET /v1/book", serve(func(r *http.Request, _ command) (any, error) { return s.Book(r.Context()) }))
	all := http.NewServeMux()
	all.Handle("/v1/", s.admit(s.lose(api)))
	all.HandleFunc("GET /3ds/{id}", s.showChallenge)
	all.HandleFunc("POST /3ds/{id}", s.endChallenge)
	return all
}

func commandOn(r *http.Request, c command) payments.Command {
	return payments.Command{Key: r.Header.Get(keyHeader), Reference: r.PathValue("id"), Amount: c.Amount}
}

// serve reads a request, runs it, and writes what it gives.
func serve(run func(r *http.Request, c command) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var c command
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&c); err != nil {
				respond(w, http.StatusBadRequest, failure{"bad_request", "the body is not what is wanted: " + err.Error()})
				return
			}
			if !idempotency.Valid(r.Header.Get(keyHeader)) || !database.Storable(c.Token+c.Order+c.Result) {
				respond(w, http.StatusBadRequest, failure{"bad_request", "send a key in " + keyHeader + ", and text without NUL"})
				return
			}
			if c.Token != "" && (c.Amount.MinorUnits <= 0 || !money.ValidCurrency(c.Amount.Currency)) {
				respond(w, http.StatusBadRequest, failure{"bad_request", "an amount is more than 0, of a currency of ISO 4217"})
				return
			}
		}
		answer, err := run(r, c)
		if err == nil {
			respond(w, http.StatusOK, answer)
			return
		}
		for _, f := range failures {
			if errors.Is(err, f.err) {
				respond(w, f.status, failure{f.code, f.err.Error()})
				return
			}
		}
		if database.NoRows(err) {
			respond(w, http.StatusNotFound, failure{"not_found", "there is no such charge"})
			return
		}
		respond(w, http.StatusInternalServerError, failure{"unavailable", "something broke"})
	}
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// admit lets in who has the key.
func (s *Sandbox) admit(next http.Handler) http.Handler {
	want := []byte("Bearer " + s.cfg.APIKey)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.APIKey != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			respond(w, http.StatusUnauthorized, failure{"unauthorized", "send the key as a bearer token"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// lose gives some requests no answer, as Config.Lost says: their callers time out.
func (s *Sandbox) lose(next http.Handler) http.Handler {
	if s.cfg.Lost == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		roll := s.roll()
		switch {
		case roll < s.cfg.Lost: // on the way here
			io.Copy(io.Discard, r.Body) // a server that has not read it all does not notice that its caller is gone
		case roll < 2*s.cfg.Lost: // on the way back
			next.ServeHTTP(silent{http.Header{}}, r)
		default:
			next.ServeHTTP(w, r)
			return
		}
		<-r.Context().Done()
	})
}

// roll is the next of the numbers that say what is lost, whichever Handler a request comes to.
func (s *Sandbox) roll() int {
	s.losing.Lock()
	defer s.losing.Unlock()
	return s.random.IntN(2000)
}

// silent is an answer that nobody gets.
type silent struct{ header http.Header }

// Header is forgotten.
func (s silent) Header() http.Header { return s.header }

// Write forgets what it is given.
func (s silent) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader does nothing.
func (s silent) WriteHeader(int) {}
