package plan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// service answers GraphQL from the world: as one server of everything, or as one subgraph, which answers only
// what is its own, and complains about anything a subgraph can't be asked.
type service struct {
	world  *world
	graph  int // everything is the server of everything
	schema *ast.Schema
	// complain is told of requests that a planner must not make.
	complain func(format string, args ...any)
	faults   *faults
	// done are the root fields of mutations, in the order in which they were carried out.
	done *[]string
	mu   *sync.Mutex
}

// events is how many every subscription has.
const events = 2

// everything is the number of the server that holds everything.
const everything = -1

// object is a thing on its way through a selection.
type object struct {
	thing
	// typ is its type in the service's schema.
	typ      string
	provided []*supergraph.FieldSelection
	sent     map[string]any
	// above are the objects that it stands in, outermost first.
	above []thing
}

func (s *service) Send(_ context.Context, req *transport.Request) (_ *transport.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			// Behind the executor a panic is an error like others.
			s.mu.Lock()
			s.world.panicked, err = p, fmt.Errorf("panic: %v", p)
			s.mu.Unlock()
		}
	}()
	if s.faults.refuses(s.graph, req.Query) {
		return refusal(req.Query)
	}
	// The executor looks for objects of equal text only where much text follows.
	padding := strings.Repeat(" ", 100)
	return &transport.Response{Status: http.StatusOK, Body: append(s.answer(req.Query, s.variables(req), "").body(), padding...)}, nil
}

func (s *service) variables(req *transport.Request) map[string]any {
	var variables map[string]any
	d := json.NewDecoder(bytes.NewReader(req.Variables))
	d.UseNumber()
	if err := d.Decode(&variables); err != nil {
		s.complain("variables %s: %v", req.Variables, err)
	}
	return variables
}

func (s *service) name() string {
	if s.graph == everything {
		return "everything"
	}
	return s.world.sg.Subgraphs[s.graph].Name
}

// answer is one answer in the making.
type answer struct {
	*service
	b         []byte
	variables map[string]any
	path      []any
	errors    []string
	// hidden says that a value was left out that the API schema hides.
	hidden bool
	kind   ast.Operation
}

func (a *answer) body() []byte {
	if len(a.errors) == 0 {
		return []byte(`{"data":` + string(a.b) + `}`)
	}
	return []byte(`{"errors":[` + strings.Join(a.errors, ",") + `],"data":` + string(a.b) + `}`)
}

// answer carries an operation out. The event tells the events of a subscription apart.
func (s *service) answer(query string, variables map[string]any, event string) *answer {
	a := &answer{service: s, variables: variables}
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		s.complain("%s: %v", query, err)
		return a
	}
	if errs := validator.ValidateWithRules(s.schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
		s.complain("%s is asked %s: %v", s.name(), query, errs)
		a.b = []byte("null")
		return a
	}
	op := doc.Operations[0]
	a.kind = op.Operation
	for _, v := range op.VariableDefinitions {
		if _, given := variables[v.Variable]; !given && v.DefaultValue != nil {
			if variables[v.Variable], err = v.DefaultValue.Value(nil); err != nil {
				s.complain("%s: %v", query, err)
			}
		}
	}
	root := map[ast.Operation]*ast.Definition{
		ast.Query: s.schema.Query, ast.Mutation: s.schema.Mutation, ast.Subscription: s.schema.Subscription,
	}[op.Operation].Name
	if !a.object(object{thing: thing{root, root + event}, typ: root}, []ast.SelectionSet{op.SelectionSet}) {
		a.b = []byte("null")
	}
	return a
}

// object writes an object, or returns false if it has to be null because of a value in it.
func (a *answer) object(o object, sets []ast.SelectionSet) bool {
	var fields []*collected
	for _, set := range sets {
		fields = a.collect(fields, o.typ, set, a.variables)
	}
	a.b = append(a.b, '{')
	ok := true
	for i, c := range fields {
		if i > 0 {
			a.b = append(a.b, ',')
		}
		a.b = append(strconv.AppendQuote(a.b, c.key), ':')
		a.path = append(a.path, c.key)
		// All fields are carried out, also beside one that makes the object null: mutations count, and errors.
		ok = a.field(o, c.fields) && ok
		a.path = a.path[:len(a.path)-1]
	}
	a.b = append(a.b, '}')
	return ok
}

func (a *answer) field(o object, fields []*ast.Field) bool {
	f := fields[0]
	var sets []ast.SelectionSet
	for _, g := range fields {
		sets = append(sets, g.SelectionSet)
	}
	switch f.Name {
	case "__typename":
		name := o.typ
		if a.faults.isRenamed(a.graph, o.thing) {
			name = []string{"Nobody", a.world.sg.Query.Name, ""}[len(o.id)%3]
		}
		a.b = strconv.AppendQuote(a.b, name)
		return true
	case "_entities":
		a.entities(f, sets)
		return true
	}
	if a.denied(o, fields) {
		a.report(denial)
		return a.null(len(a.b), a.schema.Types[o.typ].Fields.ForName(f.Name).Type)
	}
	args := a.world.arguments(a.schema, o.thing, f, a.variables)
	if a.kind == ast.Mutation && len(a.path) == 1 {
		a.mu.Lock()
		*a.done = append(*a.done, f.Name+args)
		a.mu.Unlock()
	}
	required, provided := a.check(o, f.Name)
	v := a.world.field(o.thing, f.Name, args+a.fromContext(&o, f), required)
	// By the specification the object's own type counts, not the interface's that the field was selected on.
	t := a.schema.Types[o.typ].Fields.ForName(f.Name).Type
	switch a.faults.of(a.world, o.thing, f.Name) {
	case fails:
		a.report("it failed")
		return a.null(len(a.b), t)
	case lies:
		v = nil
	case misshapen:
		if body := odd(t, a.schema.Types[t.Name()], hashOf(o.id, f.Name)); body != "" {
			a.b = append(a.b, body...)
			return true
		}
	}
	below := object{provided: provided, above: append(o.above[:len(o.above):len(o.above)], o.thing)}
	return a.value(v, t, below, sets)
}

func (a *answer) report(message string) {
	a.errors = append(a.errors, text(map[string]any{"message": message, "path": a.path}))
}

// null cuts off what was written from start on, and writes null where that may be.
func (a *answer) null(start int, t *ast.Type) bool {
	a.b = append(a.b[:start], "null"...)
	return !t.NonNull
}

func (a *answer) value(v value, t *ast.Type, below object, sets []ast.SelectionSet) bool {
	start := len(a.b)
	ok := true
	switch v := a.visible(v, t).(type) {
	case nil:
		if t.NonNull && a.graph == everything {
			a.report("null where that must not be")
		}
		// A subgraph that lies sends null where it promised something else.
		return a.null(start, t) || a.graph != everything
	case thing:
		ok = a.thing(v, t.Name(), below, sets)
	case []value:
		a.b = append(a.b, '[')
		for i := range v {
			if i > 0 {
				a.b = append(a.b, ',')
			}
			a.path = append(a.path, i)
			ok = a.value(v[i], t.Elem, below, sets) && ok
			a.path = a.path[:len(a.path)-1]
		}
		a.b = append(a.b, ']')
	default:
		a.b = append(a.b, text(v)...)
	}
	return ok || a.null(start, t)
}

// visible is null in the place of what the API schema hides.
func (a *answer) visible(v value, t *ast.Type) value {
	if a.graph != everything {
		return v
	}
	hidden := false
	switch v := v.(type) {
	case thing:
		hidden = !a.world.sg.Possible(t.Name()).Has(a.world.sg.Object(v.typ))
	case string:
		if values := a.world.sg.EnumValues(t.Name()); values != nil {
			_, seen := values[v]
			hidden = !seen
		}
	}
	if hidden {
		a.hidden = true
		return nil
	}
	return v
}

// check complains about what the subgraph can't answer, and returns what the field's value follows from.
func (a *answer) check(o object, name string) (required string, provided []*supergraph.FieldSelection) {
	w := a.world
	if a.graph == everything {
		return w.requires(o.thing, name), nil
	}
	src := w.sg.Type(o.typ).Field(name).In[a.graph]
	isProvided := false
	for _, p := range o.provided {
		if p.Name == name && p.Types.Has(w.sg.Object(o.thing.typ)) {
			provided = append(provided, p.Fields...)
			isProvided = true
		}
	}
	switch {
	case src == nil:
		a.complain("%s is asked %s.%s, which it does not have", a.name(), o.typ, name)
		return "", nil
	case src.External && !isProvided:
		a.complain("%s is asked %s.%s, which is external there", a.name(), o.typ, name)
	case src.Overridden && !w.keys[o.thing.typ+"."+name], src.Label != "" && w.labels[src.Label] != src.LabelValue:
		a.complain("%s is asked %s.%s, which is overridden", a.name(), o.typ, name)
	}
	if src.Provides != nil {
		provided = append(provided, src.Provides.Fields...)
	}
	if src.Requires == nil || o.sent == nil && len(o.provided) > 0 {
		return w.requires(o.thing, name), provided
	}
	if o.sent == nil {
		a.complain("%s is asked %s.%s, but not sent %q", a.name(), o.typ, name, src.Requires.Text)
		return "", provided
	}
	got := w.received(o.sent, src.Requires.Fields)
	if want := w.requires(o.thing, name); got != want && a.faults == nil {
		a.complain("%s is sent %s for %s.%s of %s, not %s", a.name(), got, o.typ, name, o.thing.id, want)
	}
	return got, provided
}

func (a *answer) entities(f *ast.Field, sets []ast.SelectionSet) {
	list, _ := f.ArgumentMap(a.variables)["representations"].([]any)
	seen := map[string]bool{}
	start := len(a.b)
	a.b = append(a.b, '[')
	for i, r := range list {
		if i > 0 {
			a.b = append(a.b, ',')
		}
		if seen[text(r)] {
			a.complain("%s is sent %s twice", a.name(), text(r))
		}
		seen[text(r)] = true
		a.path = append(a.path, i)
		a.entity(r, sets)
		a.path = a.path[:len(a.path)-1]
	}
	a.b = append(a.b, ']')
	if a.faults.isResized(a.graph, text(list)) {
		a.b = append(a.b[:start], []string{"[]", "[null,null,null,null,null,null,null,null,null]", "{}", "7"}[len(list)%4]...)
	}
}

func (a *answer) entity(r any, sets []ast.SelectionSet) {
	start := len(a.b)
	sent, _ := r.(map[string]any)
	found, ok := a.world.find(sent, a.graph)
	switch {
	case !ok && a.faults.odd():
		a.report("there is no such entity")
	case !ok:
		a.complain("%s is sent %s, which is nothing", a.name(), text(r))
	}
	if !ok || a.faults.isGone(a.graph, found) || !a.thing(found, sent["__typename"].(string), object{sent: sent}, sets) {
		a.b = append(a.b[:start], "null"...)
	}
}

func (a *answer) thing(of thing, declared string, o object, sets []ast.SelectionSet) bool {
	o.thing, o.typ = of, of.typ
	if a.graph != everything {
		if t := a.world.sg.Type(declared); t.In[a.graph] != nil && t.In[a.graph].InterfaceObject {
			o.typ = declared
		}
	}
	return a.object(o, sets)
}

// fromContext is the JSON of the arguments that come from contexts: as a subgraph is sent them, or as they are.
func (a *answer) fromContext(o *object, f *ast.Field) string {
	args := a.world.contextArguments(o.thing, f.Name)
	if len(args) == 0 {
		return ""
	}
	values := map[string]any{}
	for _, c := range args {
		if a.graph == everything {
			values[c.Name] = a.world.context(o.above, c)
		} else if v, sent := f.ArgumentMap(a.variables)[c.Name]; sent {
			values[c.Name] = v
		} else if a.faults == nil {
			a.complain("%s is asked %s.%s without %s", a.name(), o.typ, f.Name, c.Name)
		}
	}
	if a.world.loose {
		return ""
	}
	return text(values)
}

// Subscribe starts a stream of a few events, each with data of its own.
func (s *service) Subscribe(_ context.Context, req *transport.Request) (transport.Stream, error) {
	return &eventStream{service: s, query: req.Query, variables: s.variables(req)}, nil
}

type eventStream struct {
	*service
	query     string
	variables map[string]any
	sent      int
}

func (e *eventStream) Next(context.Context) ([]byte, error) {
	if e.sent == events {
		return nil, io.EOF
	}
	e.sent++
	return e.answer(e.query, e.variables, fmt.Sprint(e.sent)).body(), nil
}

func (e *eventStream) Close() error { return nil }
