// Package subgraph serves a gqlgen schema as a federation subgraph: over HTTP, and in the same process without
// HTTP or sockets. Both go the same way, so that an operation gives the same bytes in either mode: read who
// asks off the headers, execute, present errors.
package subgraph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/telemetry"
)

// Config is what a subgraph's server needs.
type Config struct {
	// Name is the subgraph's name, for logs.
	Name string
	// Schema is the generated schema with its resolvers.
	Schema graphql.ExecutableSchema
	// Verifier reads who asks. Nil refuses every token.
	Verifier *identity.Verifier
	// RouterSecrets are what the router shows in RouterHeader; two while one is being replaced. Over HTTP, only who shows
	// one of them, or has a service's token, is answered. Without any, everybody is.
	RouterSecrets []string
	// Log takes what goes wrong inside. Nil means slog.Default().
	Log *slog.Logger
}

// Server executes operations on one subgraph. It is safe for concurrent use.
type Server struct {
	cfg      Config
	executor *executor.Executor
}

// cachedQueries is how many parsed operations a subgraph keeps: routers send few distinct texts.
const cachedQueries = 1000

// maxBody bounds the body of a request, in bytes.
const maxBody = 4 << 20

// New returns a server of the schema.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Verifier == nil {
		cfg.Verifier = &identity.Verifier{}
	}
	s := &Server{cfg: cfg, executor: executor.New(cfg.Schema)}
	s.executor.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	s.executor.SetErrorPresenter(s.present)
	s.executor.SetRecoverFunc(s.recovered)
	s.executor.SetParserTokenLimit(50_000)
	if telemetry.Enabled() {
		s.executor.AroundFields(s.watchField)
	}
	return s
}

// Request is one operation.
type Request struct {
	Query         string
	OperationName string
	// Variables is a JSON object, or empty.
	Variables []byte
	// Header carries Authorization, User-Agent and identity.ClientAddressHeader.
	Header http.Header
}

// Serve executes a query or mutation and returns the JSON of the response.
func (s *Server) Serve(ctx context.Context, req *Request) []byte {
	ctx, watch := s.watch(ctx, req)
	ctx, responses, refused := s.start(ctx, req)
	if refused != nil {
		watch.end(refused)
		return encode(refused)
	}
	response := responses(ctx)
	if err := fault.Point("subgraph.answered"); err != nil {
		response = s.refuse(ctx, err)
	}
	watch.end(response)
	return encode(response)
}

// errExpired ends the subscriptions of a token whose time is over.
var errExpired = errors.New("the token has expired")

// Subscribe starts an operation, and returns the function that waits for its next response: nil at the end.
// Cancelling ctx ends it, and so does the end of the token's time: the last response says that then.
func (s *Server) Subscribe(ctx context.Context, req *Request) func() []byte {
	ctx, end := context.WithCancelCause(ctx)
	ctx, responses, refused := s.start(ctx, req)
	if expires := identity.From(ctx).Expires; !expires.IsZero() {
		timer := time.AfterFunc(time.Until(expires), func() { end(errExpired) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	}
	done := false
	return func() []byte {
		if done {
			return nil
		}
		if refused == nil {
			if response := responses(ctx); response != nil && context.Cause(ctx) != errExpired {
				return encode(response)
			}
			if context.Cause(ctx) == errExpired {
				refused = failure("UNAUTHENTICATED", errExpired.Error())
			}
		}
		done = true
		end(nil)
		if refused == nil {
			return nil
		}
		return encode(refused)
	}
}

func (s *Server) start(ctx context.Context, req *Request) (context.Context, graphql.ResponseHandler, *graphql.Response) {
	ctx = graphql.StartOperationTrace(telemetry.FromHeader(ctx, req.Header))
	who, err := s.cfg.Verifier.FromHeader(ctx, req.Header)
	if err != nil {
		return ctx, nil, s.refuse(ctx, err)
	}
	ctx = identity.WithClient(identity.With(ctx, who), identity.ReadClient(req.Header))
	variables, err := decodeVariables(req.Variables)
	if err != nil {
		return ctx, nil, failure("BAD_REQUEST", err.Error())
	}
	params := &graphql.RawParams{Query: req.Query, OperationName: req.OperationName, Variables: variables, Headers: req.Header}
	params.ReadTime = graphql.TraceTiming{Start: graphql.Now(), End: graphql.Now()}
	op, errs := s.executor.CreateOperationContext(ctx, params)
	if errs != nil {
		ctx = graphql.WithOperationContext(ctx, op)
		return ctx, nil, s.executor.DispatchError(ctx, errs)
	}
	if err := checkRepresentations(s.cfg.Schema.Schema(), op); err != nil {
		return ctx, nil, failure(BadInput, err.Error())
	}
	op.DisableIntrospection = false
	responses, ctx := s.executor.DispatchOperation(ctx, op)
	return ctx, responses, nil
}

func (s *Server) refuse(ctx context.Context, err error) *graphql.Response {
	if errors.Is(err, identity.ErrToken) {
		return failure("UNAUTHENTICATED", err.Error())
	}
	s.cfg.Log.ErrorContext(ctx, "verify token", "subgraph", s.cfg.Name, "error", err)
	return failure("INTERNAL", "internal error")
}

func failure(code, message string) *graphql.Response {
	return &graphql.Response{Errors: gqlerror.List{{Message: message, Extensions: map[string]any{"code": code}}}}
}

// decodeVariables keeps numbers as they were written, so that no integer passes through a float.
func decodeVariables(raw []byte) (map[string]any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var variables map[string]any
	if err := d.Decode(&variables); err != nil {
		return nil, fmt.Errorf("variables: %w", err)
	}
	return variables, nil
}

func encode(r *graphql.Response) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // "&" stays what it is
	if err := encoder.Encode(r); err != nil {
		b.Reset()
		encoder.Encode(failure("INTERNAL", "internal error"))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// present shows a client what it may see of an error: an Error with its code, what GraphQL itself says about
// the request, and of anything else nothing but INTERNAL; the log has the whole of it.
func (s *Server) present(ctx context.Context, err error) *gqlerror.Error {
	var shown *Error
	if errors.As(err, &shown) {
		return &gqlerror.Error{Message: shown.Message, Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": shown.Code}}
	}
	var g *gqlerror.Error
	if errors.As(err, &g) && g.Err == nil {
		return g
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &gqlerror.Error{Message: "the request was cancelled or ran out of time", Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": "TIMEOUT"}}
	}
	s.cfg.Log.ErrorContext(ctx, "resolve", "subgraph", s.cfg.Name, "path", graphql.GetPath(ctx).String(), "error", err)
	return &gqlerror.Error{Message: "internal error", Path: graphql.GetPath(ctx), Extensions: map[string]any{"code": "INTERNAL"}}
}

func (s *Server) recovered(ctx context.Context, value any) error {
	return fmt.Errorf("panic: %v\n%s", value, debug.Stack())
}

// ServeHTTP answers POST of a JSON body, and subscriptions as text/event-stream for clients that accept it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send GraphQL by POST", http.StatusMethodNotAllowed)
		return
	}
	if !s.admits(r) {
		respond(w, http.StatusForbidden, encode(failure("FORBIDDEN", "this subgraph answers only the router and other services")))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		respond(w, http.StatusRequestEntityTooLarge, encode(failure("BAD_REQUEST", "read body: "+err.Error())))
		return
	}
	var in struct {
		Query         string          `json:"query"`
		OperationName string          `json:"operationName"`
		Variables     json.RawMessage `json:"variables"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		respond(w, http.StatusBadRequest, encode(failure("BAD_REQUEST", "the body is not a JSON object with query, operationName and variables: "+err.Error())))
		return
	}
	req := &Request{Query: in.Query, OperationName: in.OperationName, Variables: in.Variables, Header: r.Header}
	if wantsEvents(r) {
		s.serveEvents(w, r, req)
		return
	}
	respond(w, http.StatusOK, s.Serve(r.Context(), req))
}

func respond(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

// Error is an error that clients see, with a code that they can act on.
type Error struct {
	Code    string
	Message string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// BadInput is the code of what is wrong with an argument, where there is no payload to say it in.
const BadInput = "BAD_USER_INPUT"

// Errorf returns an Error.
func Errorf(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Forbidden is the error of an identity that may not do something.
func Forbidden(what string) error { return Errorf("FORBIDDEN", "you may not %s", what) }

func init() { errcode.RegisterErrorType("UNAUTHENTICATED", errcode.KindUser) }
