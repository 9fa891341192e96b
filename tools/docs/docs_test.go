// Package docs holds the pages that README.md links to. Its test writes configuration.md (go test ./tools/docs -update),
// and holds the pages against the repository: tests that are named, links, and what is generated.
package docs

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/config"
)

var update = flag.Bool("update", false, "write configuration.md anew")

// setting is what the JSON schema of the router's configuration says of one.
type setting struct {
	Type                 any
	Description          string
	Properties           map[string]setting
	Items                *setting
	AdditionalProperties json.RawMessage `json:"additionalProperties"`
}

// rows writes a line for each setting below a path.
func (s setting) rows(b *strings.Builder, path string) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		child, at := s.Properties[name], path+name
		fmt.Fprintf(b, "| `%s` | %s |\n", at, cell(child.Description))
		child.below(b, at)
	}
}

func (s setting) below(b *strings.Builder, at string) {
	s.rows(b, at+".")
	if s.Items != nil {
		s.Items.below(b, at+"[]")
	}
	var values setting
	if json.Unmarshal(s.AdditionalProperties, &values) == nil {
		values.below(b, at+".NAME")
	}
}

func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// services writes a line for each setting of the services' file, from the structs in tools/agora.
func services(t *testing.T, b *strings.Builder) {
	t.Helper()
	files, err := filepath.Glob("../agora/*.go")
	if err != nil {
		t.Fatal(err)
	}
	structs := map[string]*ast.StructType{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					structs[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	var write func(name, path string)
	write = func(name, path string) {
		for _, field := range structs[name].Fields.List {
			for _, id := range field.Names {
				if !id.IsExported() || strings.Contains(fmt.Sprint(tagOf(field)), `yaml:"-"`) {
					continue
				}
				at := path + snake(id.Name)
				fmt.Fprintf(b, "| `%s` | %s |\n", at, cell(field.Doc.Text()))
				if typ, ok := field.Type.(*ast.Ident); ok && structs[typ.Name] != nil {
					write(typ.Name, at+".")
				}
			}
		}
	}
	write("settings", "")
}

func tagOf(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	return field.Tag.Value
}

// snake is the name of a setting by that of its field: APIKey is api_key.
func snake(name string) string {
	name = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`).ReplaceAllString(name, "${1}_$2")
	name = regexp.MustCompile(`([a-z0-9])([A-Z])`).ReplaceAllString(name, "${1}_$2")
	return strings.ToLower(name)
}

func TestThePageOfSettingsIsThatOfThePrograms(t *testing.T) {
	var root setting
	if err := json.Unmarshal(config.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("<!-- Written by go test ./tools/docs -update. -->\n# Configuration\n\n" +
		"Both files are YAML and strict: a name that is not known is an error with its line. In values `${env.NAME}`, `${env.NAME:-default}`\n" +
		"and `${file.path}` are expanded. What is left out has the default that is named here.\n\n" +
		"## The router's file\n\n`router serve --config FILE`; `router config validate FILE` says what is wrong with it, `router config schema` prints its JSON schema for editors.\n\n| setting | meaning |\n| --- | --- |\n")
	root.rows(&b, "")
	b.WriteString("\n## The services' file\n\n`agora subgraph NAME… --config FILE`; all processes of an installation may have the same one.\n\n| setting | meaning |\n| --- | --- |\n")
	services(t, &b)
	if *update {
		if err := os.WriteFile("configuration.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile("configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), b.String()); diff != "" {
		t.Errorf("configuration.md is stale: run go test ./tools/docs -update\n%s", diff)
	}
}

func TestTheTestsThatPagesNameAreThere(t *testing.T) {
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range declared.FindAllStringSubmatch(string(source), -1) {
			there[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("peers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\bTest\w+`).FindAllString(string(page), -1) {
		if !there[name] {
			t.Errorf("peers.md names %s, and there is no such test", name)
		}
	}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, "| Y") && !strings.Contains(line, "Test") {
			t.Errorf("no test shows %s", line)
		}
	}
}

func TestLinksBetweenPagesLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), found[1])); err != nil {
				t.Errorf("%s leads to %s, which there is not", page, found[1])
			}
		}
	}
}
