package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/serve"
)

var fakeSchema = gqlparser.MustLoadSchema(&ast.Source{Name: "fake.graphql", Input: `
type Query { hello(name: String): String  whoami: String  slow: String  stubborn: String  boom: String  big(bytes: Int!): String  parts: String  torn: String }
type Mutation { bump: Int }
type Subscription { count(to: Int!): Int  forever: Int  broken: Int  boom: Int  flood: String }`})

// fakeEngine validates for real and resolves the first root field by its name.
type fakeEngine struct {
	// bumps counts executed mutations.
	bumps atomic.Int64
	// open counts the subscriptions that have not been closed.
	open atomic.Int64
	// subscribed is told of each start of a subscription, if it is not nil.
	subscribed chan string
	// entered is told when slow begins; slow answers when release is closed or its context ends.
	entered, release chan struct{}
	// fresh counts responses that have not been released, released those that have.
	fresh, released atomic.Int64
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{
		subscribed: make(chan string, 1000), entered: make(chan struct{}, 1000), release: make(chan struct{}),
	}
}

func (e *fakeEngine) Execute(ctx context.Context, req *serve.Request) *serve.Response {
	op, vars, refused := e.validate(req)
	if refused != nil {
		return refused
	}
	if op.Operation == ast.Subscription {
		return serve.Refuse(serve.StreamRequired, "SUBSCRIPTION_NEEDS_STREAM", "accept text/event-stream")
	}
	return e.execute(ctx, req, op, vars)
}

func (e *fakeEngine) Subscribe(ctx context.Context, req *serve.Request) (serve.Subscription, *serve.Response) {
	op, vars, refused := e.validate(req)
	if refused != nil {
		return nil, refused
	}
	if op.Operation != ast.Subscription {
		return nil, e.execute(ctx, req, op, vars)
	}
	field := op.SelectionSet[0].(*ast.Field)
	e.open.Add(1)
	e.subscribed <- field.Name
	sub := &fakeSubscription{engine: e, field: field.Name}
	if field.Name == "count" {
		n, err := strconv.Atoi(fmt.Sprint(field.ArgumentMap(vars)["to"]))
		if err != nil {
			panic(err)
		}
		sub.to = n
	}
	return sub, nil
}

func (e *fakeEngine) validate(req *serve.Request) (*ast.OperationDefinition, map[string]any, *serve.Response) {
	doc, err := parser.ParseQuery(&ast.Source{Input: req.Query})
	if err != nil {
		return nil, nil, e.refuse("GRAPHQL_PARSE_FAILED", err)
	}
	if errs := validator.ValidateWithRules(fakeSchema, doc, nil); len(errs) > 0 {
		return nil, nil, e.refuse("GRAPHQL_VALIDATION_FAILED", errs)
	}
	op := doc.Operations.ForName(req.OperationName)
	if op == nil {
		return nil, nil, e.refuse("OPERATION_RESOLUTION_FAILURE", gqlerror.Errorf("unknown operation"))
	}
	given := map[string]any{}
	if req.Variables != nil {
		if err := json.Unmarshal(req.Variables, &given); err != nil {
			panic(fmt.Sprintf("variables %q: %v", req.Variables, err))
		}
	}
	vars, err := validator.VariableValues(fakeSchema, op, given)
	if err != nil {
		return nil, nil, e.refuse("BAD_USER_INPUT", err)
	}
	if req.QueryOnly && op.Operation == ast.Mutation {
		return nil, nil, serve.Refuse(serve.MutationByGET, serve.CodeMethodNotAllowed, "mutations need POST")
	}
	return op, vars, nil
}

func (e *fakeEngine) refuse(code string, err error) *serve.Response {
	return serve.Refuse(serve.RequestError, code, err.Error())
}

func (e *fakeEngine) execute(ctx context.Context, req *serve.Request, op *ast.OperationDefinition, vars map[string]any) *serve.Response {
	field := op.SelectionSet[0].(*ast.Field)
	var value any
	switch field.Name {
	case "hello":
		name, ok := field.ArgumentMap(vars)["name"].(string)
		if !ok {
			name = "nobody"
		}
		value = "hello " + name
	case "whoami":
		value = subject(req.Claims)
	case "slow":
		e.entered <- struct{}{}
		select {
		case <-ctx.Done():
			value = "cut short"
		case <-e.release:
			value = "done"
		}
	case "stubborn":
		e.entered <- struct{}{}
		<-e.release
	case "boom":
		panic("boom")
	case "big":
		n, err := strconv.Atoi(fmt.Sprint(field.ArgumentMap(vars)["bytes"]))
		if err != nil {
			panic(err)
		}
		value = strings.Repeat("x", n)
	case "bump":
		value = e.bumps.Add(1)
	case "__typename":
		value = field.ObjectDefinition.Name
	}
	resp := e.executed(field.Alias, value)
	if field.Name == "parts" || field.Name == "torn" {
		e.open.Add(1)
		resp.Rest = &fakeParts{ctx: ctx, engine: e, field: field.Name}
	}
	resp.Operation = serve.Operation{Name: op.Name, Kind: string(op.Operation)}
	return resp
}

func (e *fakeEngine) executed(key string, value any) *serve.Response {
	body, err := json.Marshal(map[string]any{"data": map[string]any{key: value}})
	if err != nil {
		panic(err)
	}
	e.fresh.Add(1)
	return &serve.Response{
		Body: body, Header: http.Header{"x-engine": {"fake"}}, Free: func() { e.fresh.Add(-1); e.released.Add(1) },
		Operation: serve.Operation{Kind: "subscription"},
	}
}

func subject(claims *auth.Claims) any {
	if claims == nil {
		return nil
	}
	return claims.Subject
}

type fakeSubscription struct {
	engine *fakeEngine
	field  string
	n, to  int
}

var errBroken = errors.New("the subgraph has gone: secret address")

func (s *fakeSubscription) Next(ctx context.Context) (*serve.Response, error) {
	s.n++
	switch {
	case s.field == "count" && s.n <= s.to, s.field == "broken" && s.n == 1:
		return s.engine.executed(s.field, s.n), nil
	case s.field == "count":
		return nil, io.EOF
	case s.field == "broken":
		return nil, errBroken
	case s.field == "boom":
		panic("boom")
	case s.field == "flood":
		return s.engine.executed(s.field, strings.Repeat("x", 64<<10)), nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *fakeSubscription) Close() error {
	s.engine.open.Add(-1)
	return nil
}

// fakeParts are the parts of an answer: one more, which waits for the engine's release, unless it is torn before.
type fakeParts struct {
	ctx    context.Context
	engine *fakeEngine
	field  string
	n      int
}

func (p *fakeParts) Next() (*serve.Response, error) {
	switch p.n++; {
	case p.field == "torn":
		return nil, errBroken
	case p.n > 1:
		return nil, io.EOF
	}
	p.engine.entered <- struct{}{}
	select {
	case <-p.ctx.Done():
	case <-p.engine.release:
	}
	return p.engine.executed("later", p.n), nil
}

func (p *fakeParts) Close() { p.engine.open.Add(-1) }

// fakeVerifier knows a few tokens.
type fakeVerifier struct{}

func (fakeVerifier) FromHeader(_ context.Context, header http.Header) (*auth.Claims, error) {
	switch header.Get("Authorization") {
	case "":
		return nil, nil
	case "Bearer good":
		return &auth.Claims{Subject: "usr_1"}, nil
	case "Bearer brief":
		return &auth.Claims{Subject: "usr_2", Expires: time.Now().Add(500 * time.Millisecond)}, nil
	case "Bearer unjudged":
		return nil, errors.New("the database is away: secret address")
	}
	return nil, &auth.Error{Reason: "it is forged", Err: errors.New("details")}
}
