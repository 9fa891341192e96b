package lint

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func TestTheRepositoryKeepsTheRulesOfTheHouse(t *testing.T) {
	broken, err := Check("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range broken {
		t.Error(line)
	}
}

func TestEachRuleFindsWhatBreaksIt(t *testing.T) {
	long := "package p\nfunc f() {\n" + strings.Repeat("_ = 0\n", 80) + "}\n"
	tests := []struct {
		name, path, source, want string
	}{
		{"a subgraph imports another", "subgraphs/orders/a.go", "package p\nimport _ \"" + Module + "/subgraphs/users\"", "does not know another"},
		{"a subgraph imports its own generated code", "subgraphs/orders/a.go", "package p\nimport _ \"" + Module + "/subgraphs/orders/gen\"", ""},
		{"the router imports internal", "router/plan/a.go", "package p\nimport _ \"" + Module + "/internal/id\"", "as a library"},
		{"a phase imports a later one", "router/plan/a.go", "package p\nimport _ \"" + Module + "/router/execute\"", "earlier ones"},
		{"a phase imports an earlier one", "router/execute/a.go", "package p\nimport _ \"" + Module + "/router/plan\"", ""},
		{"something imports tools", "internal/x/a.go", "package p\nimport _ \"" + Module + "/tools/agora\"", "tools"},
		{"a long function", "internal/x/a.go", long, "82 lines long"},
		{"a long file", "internal/x/a.go", "package p\n" + strings.Repeat("\n", 500), "the most"},
		{"an exported name without a comment", "internal/x/a.go", "package p\nfunc F() {}", "no comment"},
		{"an exported method of a private type", "internal/x/a.go", "package p\ntype t int\nfunc (t) F() {}", ""},
		{"a float in a price", "subgraphs/orders/a.go", "package p\nvar price float64", "money"},
		{"a price times a fraction", "subgraphs/products/pricelist.go", "package p\nvar price = 100 * 1.19", "1.19 where money is counted"},
		{"an amount read as a float", "internal/money/a.go", "package p\nimport \"strconv\"\nvar a, _ = strconv.ParseFloat(\"1.2\", 64)", "ParseFloat where money"},
		{"an amount that is rounded", "subgraphs/payments/a.go", "package p\nimport \"math\"\nvar a = int64(math.Round(3))", "math.Round where"},
		{"a float where there is no money", "subgraphs/products/search.go", "package p\nvar rank = 0.5", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, test.path, test.source, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			var broken []string
			for _, rule := range rules {
				broken = append(broken, rule(File{test.path, parsed, set})...)
			}
			got := strings.Join(broken, "\n")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("broken = %q, want one that contains %q", got, test.want)
			}
		})
	}
}
