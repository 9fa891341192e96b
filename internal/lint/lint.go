// Package lint holds the rules of the house that a program can check: who may import whom, how long files and
// functions may be, and that every exported name says what it is. Its test reads the whole repository.
package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Module is the path of this module.
const Module = "github.com/agora-supergraph/agora"

// The limits of length, in lines.
const (
	maxFile     = 500
	maxFunction = 80
)

// File is a parsed Go file of the repository.
type File struct {
	// Path is relative to the root, with slashes.
	Path string
	AST  *ast.File
	Set  *token.FileSet
}

// Check reads all hand-written Go files below root and returns what breaks a rule, one line each.
func Check(root string) ([]string, error) {
	var broken []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if n := entry.Name(); n == "gen" || n == "node_modules" || n == "testdata" || (n != "." && strings.HasPrefix(n, ".") && name != root) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		f := File{filepath.ToSlash(rel), parsed, set}
		for _, rule := range rules {
			broken = append(broken, rule(f)...)
		}
		return nil
	})
	return broken, err
}

// rules are all that is checked.
var rules = []func(File) []string{imports, lengths, documented, moneyIsExact}

func (f File) at(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", f.Path, f.Set.Position(pos).Line, fmt.Sprintf(format, args...))
}

// imports holds the rule of imports of the design: data flows one way, subgraphs don't know each other.
func imports(f File) []string {
	var broken []string
	for _, spec := range f.AST.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil || !strings.HasPrefix(target, Module+"/") {
			if strings.HasPrefix(f.Path, "router/") && strings.HasPrefix(target, "github.com/99designs/") {
				broken = append(broken, f.at(spec.Pos(), "the router does not know gqlgen"))
			}
			continue
		}
		target = strings.TrimPrefix(target, Module+"/")
		if why := forbidden(path.Dir(f.Path), target); why != "" && !(why == backwards && strings.HasSuffix(f.AST.Name.Name, "_test")) {
			broken = append(broken, f.at(spec.Pos(), "imports %s: %s", target, why))
		}
	}
	return broken
}

// phases are the router's phases in the order in which data flows; each may import only earlier ones.
var phases = []string{"router/supergraph", "router/compose", "router/operation", "router/plan", "router/transport", "router/execute", "router/serve"}

// backwards is what is wrong with a phase that imports a later one. Tests of a phase from outside may use later ones.
const backwards = "a phase imports only earlier ones"

func forbidden(from, to string) string {
	switch {
	case within(to, "tools") && !within(from, "tools"):
		return "nothing imports tools/"
	case within(from, "router") && (within(to, "subgraphs") || within(to, "internal")):
		return "others embed the router as a library"
	case within(from, "subgraphs") && within(to, "router"):
		return "a subgraph does not know the router"
	case within(from, "subgraphs") && within(to, "subgraphs") && top(from, 2) != top(to, 2):
		return "a subgraph does not know another"
	case within(from, "internal") && (within(to, "subgraphs") || within(to, "router")):
		return "internal/ is below subgraphs and router"
	case phase(from) >= 0 && phase(to) > phase(from):
		return backwards
	}
	return ""
}

func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

// top is the first n elements of a path.
func top(p string, n int) string {
	parts := strings.SplitN(p, "/", n+1)
	return strings.Join(parts[:min(n, len(parts))], "/")
}

func phase(p string) int {
	for i, name := range phases {
		if within(p, name) {
			return i
		}
	}
	return -1
}

func lengths(f File) []string {
	var broken []string
	if n := f.Set.File(f.AST.Pos()).LineCount(); n > maxFile {
		broken = append(broken, fmt.Sprintf("%s: %d lines, %d are the most", f.Path, n, maxFile))
	}
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			n := f.Set.Position(fn.End()).Line - f.Set.Position(fn.Pos()).Line + 1
			if n > maxFunction {
				broken = append(broken, f.at(fn.Pos(), "%s is %d lines long, %d are the most", fn.Name.Name, n, maxFunction))
			}
		}
	}
	return broken
}

func documented(f File) []string {
	if strings.HasSuffix(f.Path, "_test.go") || f.AST.Name.Name == "main" {
		return nil
	}
	var broken []string
	for _, d := range f.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && receiverExported(d) {
				broken = append(broken, f.at(d.Pos(), "%s has no comment", d.Name.Name))
			}
		case *ast.GenDecl:
			broken = append(broken, undocumented(f, d)...)
		}
	}
	return broken
}

func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return false
		}
	}
}

// undocumented finds exported types, constants and variables without a comment of their own, of their line or
// of their group.
func undocumented(f File, d *ast.GenDecl) []string {
	var broken []string
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				broken = append(broken, f.at(s.Pos(), "%s has no comment", s.Name.Name))
			}
		case *ast.ValueSpec:
			if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				broken = append(broken, f.at(s.Pos(), "%s has no comment", s.Names[0].Name))
			}
		}
	}
	return broken
}

// moneyPaths are where money is counted: folders, and the files of a folder that begin like that.
var moneyPaths = []string{
	"internal/money", "subgraphs/payments", "subgraphs/orders",
	"subgraphs/products/price", "subgraphs/products/schedule", "subgraphs/products/feed", "subgraphs/inventory/shipping",
}

// floating are the functions by which floats come in where no type says so.
var floating = []string{"ParseFloat", "FormatFloat", "AppendFloat", "Float64", "Float32", "UnmarshalFloat", "MarshalFloat", "NewFloat"}

// moneyIsExact finds floats where money is counted: types, literals, and what makes them of something else.
func moneyIsExact(f File) []string {
	// A service's measure.go takes time, in fractions of seconds.
	if path.Base(f.Path) == "measure.go" || !slices.ContainsFunc(moneyPaths, func(p string) bool { return strings.HasPrefix(f.Path, p) }) {
		return nil
	}
	var broken []string
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if n.Name == "float64" || n.Name == "float32" || slices.Contains(floating, n.Name) {
				broken = append(broken, f.at(n.Pos(), "%s where money is counted", n.Name))
			}
		case *ast.BasicLit:
			// Tests read JSON, whose numbers are floats.
			if n.Kind == token.FLOAT && !strings.HasSuffix(f.Path, "_test.go") {
				broken = append(broken, f.at(n.Pos(), "%s where money is counted", n.Value))
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "math" && !strings.HasPrefix(n.Sel.Name, "MaxInt") && !strings.HasPrefix(n.Sel.Name, "MinInt") && !strings.HasPrefix(n.Sel.Name, "MaxUint") {
				broken = append(broken, f.at(n.Pos(), "math.%s where money is counted", n.Sel.Name))
			}
		}
		return true
	})
	return broken
}
