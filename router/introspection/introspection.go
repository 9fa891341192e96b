// Package introspection answers what clients ask of the schema itself: __schema and __type
// (https://spec.graphql.org/draft/#sec-Introspection).
//
// In comes an operation's text on these fields, out come the bytes of its answer. It is a transport like that to
// a subgraph, so plans and the executor know no difference. The text is compiled once into a tree of the fields
// it asks for (compile.go), and the tree is walked over the schema, writing JSON straight to bytes (type.go and
// its neighbours). Answers are kept, since a schema never changes and tools ask all the same.
package introspection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/transport"
)

// Config bounds what a Transport does. The zero value works.
type Config struct {
	// MaxAnswer bounds one answer, in bytes. Zero means 32 MiB.
	MaxAnswer int
	// CacheBytes bounds the answers that are kept, with their questions. Zero means 16 MiB; negative keeps none.
	CacheBytes int
}

// Transport answers operations on one schema. It is safe for concurrent use.
type Transport struct {
	schema *ast.Schema
	config Config
	// types are those that the schema has for clients, by name; directives as well.
	types      []*ast.Definition
	directives []*ast.DirectiveDefinition
	answers    cache
}

// New returns the transport for a schema, which must not change any more.
func New(schema *ast.Schema, config Config) *Transport {
	if config.MaxAnswer == 0 {
		config.MaxAnswer = 32 << 20
	}
	if config.CacheBytes == 0 {
		config.CacheBytes = 16 << 20
	}
	t := &Transport{schema: schema, config: config, answers: cache{most: config.CacheBytes}}
	used := usedScalars(schema)
	for name, def := range schema.Types {
		if !builtinScalars[name] || used[name] {
			t.types = append(t.types, def)
		}
	}
	for _, def := range schema.Directives {
		t.directives = append(t.directives, def)
	}
	slices.SortFunc(t.types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(t.directives, func(a, b *ast.DirectiveDefinition) int { return strings.Compare(a.Name, b.Name) })
	return t
}

var builtinScalars = map[string]bool{"Int": true, "Float": true, "String": true, "Boolean": true, "ID": true}

// usedScalars are the built-in scalars that the schema refers to: a schema does not have the others
// (https://spec.graphql.org/draft/#sec-Scalars.Built-in-Scalars).
func usedScalars(schema *ast.Schema) map[string]bool {
	used := map[string]bool{"String": true, "Boolean": true}
	arguments := func(list ast.ArgumentDefinitionList) {
		for _, a := range list {
			used[a.Type.Name()] = true
		}
	}
	for _, def := range schema.Types {
		for _, f := range def.Fields {
			used[f.Type.Name()] = true
			arguments(f.Arguments)
		}
	}
	for _, def := range schema.Directives {
		arguments(def.Arguments)
	}
	return used
}

// Send answers an operation. What is wrong with it is said in the answer's errors, never in the error.
func (t *Transport) Send(_ context.Context, req *transport.Request) (*transport.Response, error) {
	key := question(req)
	body, ok := t.answers.get(key)
	if !ok {
		var err error
		if body, err = t.answer(req); err != nil {
			body = appendError(err)
		}
		t.answers.put(key, body)
	}
	return &transport.Response{Status: 200, Body: body}, nil
}

// Subscribe refuses: introspection has no subscriptions.
func (t *Transport) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return nil, errors.New("introspection has no subscriptions")
}

func (t *Transport) answer(req *transport.Request) ([]byte, error) {
	c, err := parse(t.schema, req)
	if err != nil {
		return nil, err
	}
	selections, err := c.root()
	if err != nil {
		return nil, err
	}
	w := &writer{transport: t, out: []byte(`{"data":`)}
	w.query(selections)
	if w.exceeded() {
		return nil, fmt.Errorf("the answer is larger than %d bytes", t.config.MaxAnswer)
	}
	return append(w.out, '}'), nil
}

func appendError(err error) []byte {
	out := appendString([]byte(`{"errors":[{"message":`), err.Error())
	return append(out, `,"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}],"data":null}`...)
}

func question(req *transport.Request) string {
	return req.Query + "\x00" + req.OperationName + "\x00" + string(req.Variables)
}
