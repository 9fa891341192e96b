package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// spot is a place in the arguments of a field where something may stand: an argument, or a member of an input below it.
type spot struct {
	path []string
	// named is the type of what stands there, and list says that it is a list of that.
	named string
	list  bool
}

// spots are those of a type at a path, optional ones among them.
func (s introspected) spots(ref typeRef, path []string) []spot {
	name, kind := ref.named()
	var all []spot
	if ref.list() {
		all = append(all, spot{slices.Clone(path), name, true})
	}
	if kind != "INPUT_OBJECT" {
		return append(all, spot{slices.Clone(path), name, false})
	}
	if len(path) > 5 {
		return all
	}
	for _, member := range s.types[name].InputFields {
		all = append(all, s.spots(member.Type, append(slices.Clone(path), member.Name))...)
	}
	return all
}

// sdl is a type as a variable's definition has it.
func (r typeRef) sdl() string {
	switch r.Kind {
	case "NON_NULL":
		return r.OfType.sdl() + "!"
	case "LIST":
		return "[" + r.OfType.sdl() + "]"
	}
	return r.Name
}

// filled is a value for an argument or a member, with something at a spot below it; nil for nothing there.
func (m *matrix) filled(of string, a field, path []string, at *spot, put any) any {
	here := at != nil && slices.Equal(at.path, path)
	if here && at.list {
		return slices.Repeat([]any{m.single(of, a, path, nil, nil)}, put.(int))
	}
	one := m.single(of, a, path, at, put)
	if here {
		one = put
	}
	if a.Type.list() {
		return []any{one}
	}
	return one
}

func (m *matrix) single(of string, a field, path []string, at *spot, put any) any {
	name, kind := a.Type.named()
	switch {
	case a.Name == "id" || a.Name == "ids":
		return m.thing(of)
	case kind == "ENUM":
		return m.schema.types[name].EnumValues[0].Name
	case kind == "INPUT_OBJECT":
		object := map[string]any{}
		for _, member := range m.schema.types[name].InputFields {
			below := append(slices.Clone(path), member.Name)
			wanted := at != nil && len(at.path) >= len(below) && slices.Equal(at.path[:len(below)], below)
			if wanted || member.Type.Kind == "NON_NULL" && member.DefaultValue == nil {
				object[member.Name] = m.filled(of, member, below, at, put)
			}
		}
		return object
	case m.fixture[a.Name] != nil:
		return m.fixture[a.Name]
	}
	if v := map[string]any{"Int": 1, "Int64": 1, "Boolean": false, "DateTime": "2026-01-01T00:00:00Z", "CurrencyCode": "EUR"}[name]; v != nil {
		return v
	}
	return "nobody@agora.example"
}

// hostile are what is put at spots, by the type that is there.
var (
	injection     = `'; DROP TABLE orders; -- " OR 1=1) UNION SELECT * FROM account; $1 %s%n {{7*7}} {"$gt":""} <script>alert(1)</script> ../../etc/passwd \`
	rightToLeft   = "\u202Eقهوة 🫖👩‍👩‍👧‍👦 é\u0301 ﷽"
	hostileText   = []any{injection, "\x00", rightToLeft, strings.Repeat("x", 100_000), ""}
	hostileNumber = []any{-1, 0, 2147483647, -2147483648}
	hostileBig    = append([]any{"9223372036854775807", "-9223372036854775808", "99999999999999999999"}, hostileNumber...)
	hostileLength = []any{0, 2_000}
)

func (s spot) hostile() []any {
	switch {
	case s.list:
		return hostileLength
	case s.named == "Int":
		return hostileNumber
	case s.named == "Int64":
		return hostileBig
	case s.named == "Boolean":
		return nil
	}
	return hostileText
}

// tooMuch reports whether nothing can be made of a value, so that it has to be refused.
func (s spot) tooMuch(value any) bool {
	text, _ := value.(string)
	return s.list && value == 2_000 || len(text) > 10_000 || s.named == "Int64" && len(text) > 0
}

// TestNothingThatIsPutIntoAnyArgumentBreaksTheShop is made of the schema: a field, an argument, or a member of an input that
// is new is tried by itself.
func TestNothingThatIsPutIntoAnyArgumentBreaksTheShop(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	p := m.clients["admin"].program
	other := p.newBuyer()
	const reference = `{ product(slug: "meridian-pour-over-kettle") { id name variants { sku price { minorUnits } } } me { email displayName addresses { line1 } } }`
	before, err := other.raw(reference, nil)
	if err != nil {
		t.Fatal(err)
	}
	tried, spots := 0, 0
	for _, e := range m.entries() {
		for _, f := range m.schema.fieldsOf(e.typ) {
			n, s := m.tryArguments(e, f, "query")
			tried, spots = tried+n, spots+s
		}
	}
	for _, f := range m.schema.mutations() {
		n, s := m.tryArguments(entry{name: "Mutation", typ: "Mutation"}, f, "mutation")
		tried, spots = tried+n, spots+s
	}
	if after, err := other.raw(reference, nil); err != nil || after != before {
		t.Errorf("what nobody asked to be changed was %s and is %s, %v", before, after, err)
	}
	t.Logf("%d requests with %d arguments and members of inputs", tried, spots)
	if spots < 200 {
		t.Errorf("only %d arguments and members were found in the schema", spots)
	}
}

// tryArguments puts everything into each spot of a field's arguments.
func (m *matrix) tryArguments(e entry, f field, operation string) (tried, spots int) {
	for _, a := range f.Args {
		for _, s := range m.schema.spots(a.Type, []string{a.Name}) {
			spots++
			for _, value := range s.hostile() {
				tried++
				m.tryOne(e, f, operation, s, value)
			}
		}
	}
	return tried, spots
}

func (m *matrix) tryOne(e entry, f field, operation string, s spot, value any) {
	m.Helper()
	var declared, passed []string
	variables := map[string]any{}
	for _, a := range f.Args {
		if a.Name != s.path[0] && (a.Type.Kind != "NON_NULL" || a.DefaultValue != nil) {
			continue
		}
		declared = append(declared, "$"+a.Name+": "+a.Type.sdl())
		passed = append(passed, a.Name+": $"+a.Name)
		variables[a.Name] = m.filled(f.Name, a, []string{a.Name}, &s, value)
	}
	call := "result: " + f.Name + "(" + strings.Join(passed, ", ") + ")"
	switch _, kind := f.Type.named(); {
	case operation == "mutation":
		call += " { " + m.payload(f) + " }"
	case kind != "SCALAR" && kind != "ENUM":
		call += " { __typename }"
	}
	for _, step := range slices.Backward(e.path) {
		call = step + " { " + call + " }"
	}
	query := operation + "(" + strings.Join(declared, ", ") + ") { " + call + " }"
	r, err := m.clients["admin"].send(query, variables)
	what := fmt.Sprintf("%s.%s with %.60q at %s", e.name, f.Name, fmt.Sprint(value), strings.Join(s.path, "."))
	if err != nil {
		m.Errorf("%s: no answer: %v", what, err)
		return
	}
	for _, problem := range r.Errors {
		if code := fmt.Sprint(problem.Extensions["code"]); code == "INTERNAL" || code == "<nil>" || strings.HasPrefix(code, "SUBREQUEST") {
			m.Errorf("%s: %s %s", what, code, problem.Message)
		}
	}
	refused := len(r.Errors) > 0 || at(r.Data, "result.userErrors.0") != nil
	if operation == "mutation" && s.tooMuch(value) && !refused {
		m.Errorf("%s: it is taken", what)
	}
}
