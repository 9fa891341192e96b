package introspection

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/transport"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

func schema(t testing.TB) *ast.Schema {
	t.Helper()
	sdl, err := os.ReadFile("testdata/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func send(t testing.TB, transport_ *Transport, query, name, variables string) string {
	t.Helper()
	res, err := transport_.Send(context.Background(), &transport.Request{
		Query: query, OperationName: name, Variables: []byte(variables),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(res.Body) {
		t.Fatalf("Send(%q) = %q, which is no JSON", query, res.Body)
	}
	return string(res.Body)
}

// Each case is a query, its variables and the answer, indented.
func TestAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	to := New(schema(t), Config{})
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := map[string]string{}
			for _, f := range archive.Files {
				in[f.Name] = string(f.Data)
			}
			got := indent(t, send(t, to, in["query.graphql"], "", in["variables.json"]))
			if diff := cmp.Diff(in["answer.json"], got); diff != "" && !*update {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if !*update {
				return
			}
			last := &archive.Files[len(archive.Files)-1]
			last.Data = []byte(got)
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// indent keeps the order of keys, which is the query's.
func indent(t *testing.T, raw string) string {
	t.Helper()
	var b strings.Builder
	depth, text := 0, false
	for i, r := range raw {
		switch {
		case r == '"' && raw[i-1] != '\\':
			text = !text
			b.WriteRune(r)
		case text:
			b.WriteRune(r)
		case r == '{' || r == '[':
			depth++
			fmt.Fprintf(&b, "%c\n%s", r, strings.Repeat(" ", depth))
		case r == '}' || r == ']':
			depth--
			fmt.Fprintf(&b, "\n%s%c", strings.Repeat(" ", depth), r)
		case r == ',':
			fmt.Fprintf(&b, ",\n%s", strings.Repeat(" ", depth))
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "\n"
}

func TestWhatCannotBeAnsweredIsAnError(t *testing.T) {
	to := New(schema(t), Config{})
	for _, c := range []struct{ name, query, operation, variables, want string }{
		{"no query", `{`, "", "", "syntax error"},
		{"another field", `{ node(id: 1) { id } }`, "", "", "can't answer Root.node"},
		{"an unknown field", `{ __schema { nope } }`, "", "", "can't answer __Schema.nope"},
		{"another operation", `query A { __typename }`, "B", "", "unknown operation"},
		{"a mutation", `mutation { __typename }`, "", "", "answers queries"},
		{"no name", `{ __type { name } }`, "", "", "needs the argument name"},
		{"a number as name", `query($n: Int) { __type(name: $n) { name } }`, "", `{"n":1}`, "is no String"},
		{"a cycle", `{ __schema { ...F } } fragment F on __Schema { ...F }`, "", "", "within itself"},
		{"no selections", `{ __schema }`, "", "", "must have a selection"},
		{"bad variables", `{ __typename }`, "", `[]`, "variables"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, to, c.query, c.operation, c.variables)
			if !strings.HasPrefix(got, `{"errors":[{"message":"`) || !strings.Contains(got, c.want) {
				t.Errorf("Send(%q) = %s, want an error on %q", c.query, got, c.want)
			}
		})
	}
}

func TestAnswersAreBoundedAndKept(t *testing.T) {
	to := New(schema(t), Config{MaxAnswer: 1_000, CacheBytes: 5_000})
	deep := `{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }`
	if got := send(t, to, deep, "", ""); !strings.Contains(got, "larger than 1000 bytes") {
		t.Errorf("Send = %.100s, want an error", got)
	}
	for i := range 100 {
		query := fmt.Sprintf(`{ a%d: __type(name: "Thing") { name } }`, i)
		first, again := send(t, to, query, "", ""), send(t, to, query, "", "")
		if want := fmt.Sprintf(`{"data":{"a%d":{"name":"Thing"}}}`, i); first != want || again != want {
			t.Errorf("Send = %s, then %s, want %s", first, again, want)
		}
	}
	if to.answers.bytes > 5_000 || to.answers.order.Len() != len(to.answers.byKey) || to.answers.order.Len() == 0 {
		t.Errorf("the cache holds %d answers of %d bytes", to.answers.order.Len(), to.answers.bytes)
	}
}

func FuzzSend(f *testing.F) {
	to := New(schema(f), Config{MaxAnswer: 1 << 20, CacheBytes: -1})
	f.Add(`query Q($n: String!, $d: Boolean = true) { __type(name: $n) { ...T fields(includeDeprecated: $d) { name } } } fragment T on __Type { kind name }`, `{"n":"Thing"}`)
	f.Add(`{ __schema { directives { name args { defaultValue } } types @skip(if: false) { possibleTypes { name } } } }`, ``)
	f.Fuzz(func(t *testing.T, query, variables string) { send(t, to, query, "", variables) })
}

func BenchmarkSend(b *testing.B) {
	query := `{ __schema { types { kind name description fields { name args { name type { kind name ofType { kind name } } } type { kind name ofType { kind name } } } } } }`
	for _, c := range []struct {
		name  string
		bytes int
	}{{"kept", 0}, {"new", -1}} {
		b.Run(c.name, func(b *testing.B) {
			to := New(schema(b), Config{CacheBytes: c.bytes})
			req := &transport.Request{Query: query}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := to.Send(context.Background(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
