package config

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write gen/schema.json and the expected texts anew")

func TestTheSchemaIsThatOfTheStructs(t *testing.T) {
	g := generator{comments: make(map[string]string)}
	for _, dir := range []string{".", "../serve", "../operation", "../headers", "../traffic", "../cost", "../ratelimit", "../overload", "../telemetry", "../responsecache", "../auth"} {
		g.read(t, dir)
	}
	root := g.object(t, reflect.TypeFor[Config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Configuration of the Agora router"
	want, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("gen/schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(Schema())); diff != "" {
		t.Errorf("gen/schema.json is stale: run go test ./router/config -update\n%s", diff)
	}
}

// generator makes a JSON schema of types, with their comments.
type generator struct {
	// comments are those of fields, by package.Type.Field.
	comments map[string]string
}

// read takes the comments of a package's fields.
func (g generator) read(t *testing.T, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				g.take(file.Name.Name+"."+spec.Name.Name, spec.Type)
			}
			return true
		})
	}
}

func (g generator) take(name string, typ ast.Expr) {
	s, ok := typ.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range s.Fields.List {
		for _, ident := range f.Names {
			g.comments[name+"."+ident.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
	}
}

func (g generator) object(t *testing.T, typ reflect.Type) map[string]any {
	properties := make(map[string]any)
	g.properties(t, typ, properties)
	schema := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	var required []string
	for _, f := range fields(typ) {
		if f.Tag.Get("required") != "" {
			required = append(required, f.name)
		}
	}
	if required != nil {
		schema["required"] = required
	}
	return schema
}

func (g generator) properties(t *testing.T, typ reflect.Type, into map[string]any) {
	for f := range typ.Fields() {
		if strings.HasSuffix(f.Tag.Get("yaml"), ",inline") {
			g.properties(t, f.Type, into)
			continue
		}
		for _, known := range fields(typ) {
			if known.Name != f.Name || len(known.index) != 1 {
				continue
			}
			property := g.value(t, f.Type, f.Tag)
			comment := g.comments[path.Base(typ.PkgPath())+"."+typ.Name()+"."+f.Name]
			if comment == "" {
				t.Errorf("%s.%s has no comment", typ, f.Name)
			}
			property["description"] = comment
			into[known.name] = property
		}
	}
}

// reference is a value that is only known once it is expanded.
var reference = map[string]any{"type": "string", "pattern": `\$\{`}

func (g generator) value(t *testing.T, typ reflect.Type, tag reflect.StructTag) map[string]any {
	switch {
	case typ == durationType:
		return map[string]any{"type": "string", "pattern": `^([0-9.]+(ns|us|µs|ms|s|m|h))+$|^0$|\$\{`}
	case typ.Kind() == reflect.Struct:
		return g.object(t, typ)
	case typ.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": g.value(t, typ.Elem(), tag)}
	case typ.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": g.value(t, typ.Elem(), tag)}
	case typ.Kind() == reflect.Bool:
		return map[string]any{"anyOf": []any{map[string]any{"type": "boolean"}, reference}}
	case typ.Kind() == reflect.Int, typ.Kind() == reflect.Int64:
		integer := map[string]any{"type": "integer"}
		for key, name := range map[string]string{"minimum": "min", "maximum": "max"} {
			if n, err := strconv.ParseInt(tag.Get(name), 10, 64); err == nil {
				integer[key] = n
			}
		}
		return map[string]any{"anyOf": []any{integer, reference}}
	}
	text := map[string]any{"type": "string"}
	if enum := tag.Get("enum"); enum != "" {
		text["enum"] = strings.Split(enum, ",")
		return map[string]any{"anyOf": []any{text, reference}}
	}
	return text
}
