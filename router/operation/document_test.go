package operation

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/supergraph"
)

func petGraph(t testing.TB) *supergraph.Supergraph {
	t.Helper()
	sdl, err := os.ReadFile("testdata/invalid/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(sdl))
}

func TestOperationIsChosenByName(t *testing.T) {
	sg := petGraph(t)
	two := "query A { dog { name } } mutation B { rename(name: \"x\") { name } }"
	for _, c := range []struct{ name, text, operation, want, err string }{
		{"the only one", "{ dog { name } }", "", "", ""},
		{"the only one by name", "query A { dog { name } }", "A", "A", ""},
		{"one of two", two, "B", "B", ""},
		{"none of two", two, "", "", "Must provide operation name if query contains multiple operations."},
		{"an unknown one", two, "C", "", `Unknown operation named "C".`},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, errs := Parse(sg, c.text, Limits{})
			if errs != nil {
				t.Fatal(errs)
			}
			selected, err := doc.Operation(c.operation)
			var e *Error
			switch {
			case errors.As(err, &e):
				if e.Message != c.err || e.Code != CodeResolution {
					t.Errorf("Operation(%q) = %v %s, want %q", c.operation, e, e.Code, c.err)
				}
			case c.err != "" || selected.Name != c.want:
				t.Errorf("Operation(%q) = %v, want %s", c.operation, selected, c.want)
			}
		})
	}
}

func TestErrorsAreJSON(t *testing.T) {
	_, errs := Parse(petGraph(t), "{ dog { \"", Limits{})
	want := `[{"message":"Syntax Error: Unterminated string.","locations":[{"line":1,"column":10}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]`
	if got := string(errs.AppendJSON(nil)); got != want {
		t.Errorf("AppendJSON = %s, want %s", got, want)
	}
	got, err := json.Marshal(&Error{Message: "a\"\n\x01\xff é"})
	if want := `{"message":"a\"\n\u0001� é"}`; err != nil || string(got) != want {
		t.Errorf("Marshal = %s, %v, want %s", got, err, want)
	}
}

func TestLimits(t *testing.T) {
	sg := petGraph(t)
	for _, c := range []struct {
		name, text string
		limits     Limits
		want       string
	}{
		{"tokens", "{ dog { name } }", Limits{Tokens: 5}, CodeTokens},
		{"tokens kept", "{ dog { name } }", Limits{Tokens: 6}, ""},
		{"depth", "{ dog { mother { name } } }", Limits{Depth: 2}, CodeDepth},
		{"depth through fragments", "{ dog { ...F } } fragment F on Dog { mother { ...G } } fragment G on Dog { name }", Limits{Depth: 2}, CodeDepth},
		{"depth kept", "{ dog { mother { name } } }", Limits{Depth: 3}, ""},
		{"aliases", "{ a: dog { b: name } }", Limits{Aliases: 1}, CodeAliases},
		{"aliases through fragments", "{ a: dog { ...F } dog { ...F } } fragment F on Dog { b: name }", Limits{Aliases: 2}, CodeAliases},
		{"root fields", "{ dog { name } ...F } fragment F on Query { pet { name } }", Limits{RootFields: 1}, CodeRootFields},
		{"fields", "{ dog { name age } }", Limits{Fields: 2}, CodeFields},
		{"no limit", "{ a: dog { b: name age } }", Limits{Tokens: -1, Depth: -1, Fields: -1, Aliases: -1, RootFields: -1, Errors: -1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errs := Parse(sg, c.text, c.limits)
			got := ""
			if errs != nil {
				got = errs[0].Code
			}
			if got != c.want {
				t.Errorf("Parse(%q) = %v, want %q", c.text, errs, c.want)
			}
		})
	}
}

func TestErrorsAreBoundedAndSuggestionsHidden(t *testing.T) {
	sg := petGraph(t)
	_, errs := Parse(sg, "{"+strings.Repeat(" dgo ", 50)+"}", Limits{Errors: 10, HideSuggestions: true})
	if len(errs) != 11 || !strings.HasPrefix(errs[10].Message, "Too many validation errors") {
		t.Errorf("Parse gave %d errors, the last %v", len(errs), errs[len(errs)-1])
	}
	if want := `Cannot query field "dgo" on type "Query".`; errs[0].Message != want {
		t.Errorf("Parse = %q, want %q", errs[0].Message, want)
	}
}

// Each text is made to take quadratic or exponential time somewhere.
func TestHostileDocumentsAreDoneInGoodTime(t *testing.T) {
	sg := petGraph(t)
	// Each level asks more of dogs than of cats, so that the normal form depends on every type on the way.
	types := func(n int) string {
		text := "name"
		for i := range n {
			text = fmt.Sprintf("next { %s } ... on Dog { next { a%d: name } } ... on Cat { next { b%d: name } }", text, i, i)
		}
		return "{ pet { " + text + " } }"
	}
	// Which of the last twelve objects on a path were dogs decides what is selected: as many selection sets as
	// there are subsets, from a text of little more than the square of that.
	subsets := func(depth, memory int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "{ pet { ...L%d } }", depth)
		for d := 1; d <= depth; d++ {
			fmt.Fprintf(&b, " fragment L%d on Pet { next { ...L%d } ... on Dog { next { ...K%d_%d } } }", d, d-1, memory, d-1)
			for k := memory - (depth - 1 - d); k <= memory && d < depth; k++ {
				if k < 1 {
					continue
				}
				fmt.Fprintf(&b, " fragment K%d_%d on Pet { name next { ...K%d_%d } }", k, d, k-1, d-1)
			}
			if d <= depth-1-memory {
				fmt.Fprintf(&b, " fragment K0_%d on Pet { x%d: name }", d, d)
			}
		}
		b.WriteString(" fragment L0 on Pet { name }")
		for k := range memory + 1 {
			fmt.Fprintf(&b, " fragment K%d_0 on Pet { name }", k)
		}
		return b.String()
	}
	all := Limits{Tokens: -1}
	for _, c := range []struct {
		name, text string
		limits     Limits
		want       string
	}{
		{"equal leaves", "{ dog {" + strings.Repeat(" name", 50_000) + "} }", Limits{Tokens: -1, Fields: -1}, ""},
		{"equal composites", "{" + strings.Repeat(" dog { mother { name } }", 15_000) + "}", all, ""},
		{"conflicting leaves", "{ dog {" + strings.Repeat(" name: age name", 10_000) + "} }", all, CodeValidation},
		{"different arguments", "{" + strings.Repeat(" in(i: 1) in(i: 2)", 10_000) + "}", all, CodeValidation},
		{"exponential fragments", nested(100), Limits{}, CodeFields},
		{"a chain of fragments", chain(1_800), Limits{}, ""},
		{"a long chain of fragments", chain(20_000), all, ""},
		{"unknown fields", "{" + strings.Repeat(" doggy", 10_000) + "}", Limits{}, CodeValidation},
		{"deep selections", strings.Repeat("{ dog ", 900) + "{ name }" + strings.Repeat("}", 900), Limits{}, CodeValidation},
		{"deep lists", "{ in(any: " + strings.Repeat("[", 900) + strings.Repeat("]", 900) + ") }", Limits{}, ""},
		{"too deep lists", "{ in(any: " + strings.Repeat("[", 9_000) + ") }", all, CodeParse},
		{"many aliases", "{" + numbered(10_000, " a%d: in(i: 1)") + "}", all, ""},
		{"many operations", numbered(2_000, " query Q%d { ...F }") + numbered(1, " fragment F on Query { in(i: %d) }"), Limits{}, ""},
		{"types multiply to subsets", subsets(40, 12), all, CodeFields},
		{"types on every level", types(12), Limits{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			doc, errs := Parse(sg, c.text, c.limits)
			got := refused(doc, errs)
			took := time.Since(start)
			t.Logf("%d bytes in %v", len(c.text), took)
			if got != c.want {
				t.Errorf("got %q %v, want %q", got, first(errs), c.want)
			}
			// Quadratic algorithms take minutes; the race detector on a busy machine takes seconds.
			if took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// refused is the code of the first error of a document, or of its first operation's normal form.
func refused(doc *Document, errs Errors) string {
	if errs != nil {
		return errs[0].Code
	}
	s := doc.Operations()[0]
	_, err := s.Normalise(s.Variant(nil, nil))
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// nested is a document whose fragments double at each of n levels.
func nested(n int) string {
	var b strings.Builder
	b.WriteString("{ pet { ...F0 } }")
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Pet { next { ...F%d } n2: next { ...F%d } }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Pet { name }", n)
	return b.String()
}

// chain is a document with a chain of n fragments.
func chain(n int) string {
	var b strings.Builder
	b.WriteString("{ pet { ...F0 } }")
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Pet { ...F%d }", i, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Pet { name }", n)
	return b.String()
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func first(errs Errors) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

func TestVariantsAreComparable(t *testing.T) {
	var a, b Bits
	for _, i := range []int{3, 200, 64, 63} {
		a = a.With(i)
	}
	for _, i := range []int{63, 64, 200, 3, 3} {
		b = b.With(i)
	}
	if a != b {
		t.Errorf("equal sets differ: %v, %v", a, b)
	}
	var got []int
	for i := range 300 {
		if a.Has(i) {
			got = append(got, i)
		}
	}
	if diff := cmp.Diff([]int{3, 63, 64, 200}, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

func TestCacheKeepsDocumentsWithinBounds(t *testing.T) {
	sg := petGraph(t)
	c := NewCache(sg, Limits{}, 1<<20)
	text := "{ dog { name } }"
	one, errs := c.Document(text)
	if errs != nil {
		t.Fatal(errs)
	}
	if two, _ := c.Document(text); one != two {
		t.Error("the second request parsed again")
	}
	if _, errs := c.Document("{ nope }"); errs == nil {
		t.Error("an invalid document is valid from the cache")
	}
	for i := range 2_000 {
		if _, errs := c.Document(fmt.Sprintf("{ a%d: dog { name } }", i)); errs != nil {
			t.Fatal(errs)
		}
	}
	for i := range c.shards {
		s := &c.shards[i]
		total := 0
		for e := range s.kept.All() {
			total += weight(e.Value)
		}
		if s.kept.Len() == 0 || total != s.kept.Bytes() || total > s.kept.Most() {
			t.Errorf("shard %d holds %d documents of %d (counted %d), bound %d", i, s.kept.Len(), total, s.kept.Bytes(), s.kept.Most())
		}
	}
}

func TestCacheParsesOnceForAllWhoWait(t *testing.T) {
	c := NewCache(petGraph(t), Limits{Fields: -1, Tokens: -1}, -1)
	text := "{ dog {" + strings.Repeat(" name", 20_000) + "} }"
	var group sync.WaitGroup
	docs := make([]*Document, 8)
	for i := range docs {
		group.Go(func() { docs[i], _ = c.Document(text) })
	}
	group.Wait()
	for _, d := range docs {
		if d == nil || d != docs[0] {
			t.Fatal("requests at the same time got different documents")
		}
	}
}
