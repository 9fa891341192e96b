package shop

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/agora-supergraph/agora/router/compose"
)

// Names are the subgraphs.
var Names = []string{"accounts", "inventory", "products", "reviews"}

//go:embed schema
var schemas embed.FS

// machinery is what federation adds to the schema of each subgraph, in turn with the entities it has.
const machinery = `
directive @link(url: String!, import: [String!]) repeatable on SCHEMA
directive @key(fields: String!) repeatable on OBJECT
directive @external on FIELD_DEFINITION
directive @requires(fields: String!) on FIELD_DEFINITION
scalar _Any
type _Service { sdl: String }
union _Entity = %s
%s type Query { _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }
`

// entities are the types with keys, by subgraph, and whether it has root fields of its own.
var entities = map[string]struct {
	union string
	roots bool
}{
	"accounts": {"User", true}, "inventory": {"Product", false},
	"products": {"Product", true}, "reviews": {"User | Product | Review", false},
}

// SDL is the schema of a subgraph.
func SDL(name string) string {
	text, err := schemas.ReadFile("schema/" + name + ".graphql")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Compose makes the supergraph of the four subgraphs, with the URLs that url gives by name.
func Compose(url func(name string) string) (*compose.Result, error) {
	var list []compose.Subgraph
	for _, name := range Names {
		list = append(list, compose.Subgraph{Name: name, URL: url(name), SDL: SDL(name)})
	}
	result, errs := compose.Compose(list, compose.Config{})
	if len(errs) > 0 {
		return nil, fmt.Errorf("compose the benchmark's subgraphs: %w", errs)
	}
	return result, nil
}

// Service answers GraphQL requests over the world by one schema. It is safe for concurrent use.
type Service struct {
	name   string
	schema *ast.Schema
	world  *world

	mu      sync.RWMutex
	answers map[string][]byte
	kept    int
}

// maxKept bounds the bytes of the answers that a service keeps, with their requests.
const maxKept = 128 << 20

var theWorld = sync.OnceValue(newWorld)

// Subgraph is the service of one of Names.
func Subgraph(name string) (*Service, error) {
	own := entities[name]
	extend := ""
	if own.roots {
		extend = "extend"
	}
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: "machinery", Input: fmt.Sprintf(machinery, own.union, extend)},
		&ast.Source{Name: name, Input: SDL(name)},
	)
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", name, err)
	}
	return &Service{name: name, schema: schema, world: theWorld()}, nil
}

// Oracle is one server that holds all types and data: what it answers is right.
func Oracle() (*Service, error) {
	composed, err := Compose(func(name string) string { return "http://" + name })
	if err != nil {
		return nil, err
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "api", Input: composed.APISchema})
	if err != nil {
		return nil, fmt.Errorf("API schema: %w", err)
	}
	return &Service{schema: schema, world: theWorld()}, nil
}

// Answer is the response to the JSON body of a request. Nobody may change it.
func (s *Service) Answer(body []byte) []byte {
	s.mu.RLock()
	answer, ok := s.answers[string(body)]
	s.mu.RUnlock()
	if ok {
		return answer
	}
	answer = s.Execute(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept += len(body) + len(answer); s.answers == nil || s.kept > maxKept {
		s.answers, s.kept = map[string][]byte{}, len(body)+len(answer)
	}
	s.answers[string(body)] = answer
	return answer
}

// Execute is like Answer, and keeps nothing.
func (s *Service) Execute(body []byte) []byte {
	data, err := s.execute(body)
	if err != nil {
		message, _ := json.Marshal(fmt.Sprintf("%s: %s", s.name, err))
		return fmt.Appendf(nil, `{"errors":[{"message":%s}]}`, message)
	}
	return append(append([]byte(`{"data":`), data...), '}')
}

func (s *Service) execute(body []byte) ([]byte, error) {
	var request struct {
		Query, OperationName string
		Variables            map[string]any
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&request); err != nil {
		return nil, fmt.Errorf("request body: %w", err)
	}
	document, errs := gqlparser.LoadQueryWithRules(s.schema, request.Query, nil)
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w in %s", errs, request.Query)
	}
	operation := document.Operations.ForName(request.OperationName)
	if operation == nil || operation.Operation != ast.Query {
		return nil, fmt.Errorf("no query %q", request.OperationName)
	}
	variables, err := validator.VariableValues(s.schema, operation, request.Variables)
	if err != nil {
		return nil, err
	}
	x := &execution{service: s, variables: variables}
	return x.object(nil, root{}, []ast.SelectionSet{operation.SelectionSet})
}
