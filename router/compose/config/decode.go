package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/agora-supergraph/agora/router/compose"
)

func (r *reader) place(n ast.Node) Problem {
	p := Problem{File: r.name}
	if t := n.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

func (r *reader) problem(n ast.Node, format string, args ...any) {
	p := r.place(n)
	p.Message = fmt.Sprintf(format, args...)
	r.problems = append(r.problems, p)
}

// decode reads the document. JSON is YAML, too.
func (r *reader) decode(text []byte) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		r.problems = append(r.problems, syntaxProblem(r.name, err))
		return
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		r.problems = append(r.problems, Problem{File: r.name, Message: "the file is empty: it needs `subgraphs`"})
		return
	}
	body := file.Docs[0].Body
	root, ok := r.mapping(body, "the configuration")
	if !ok {
		return
	}
	r.known(root, "the configuration", "federation_version", "subgraphs")
	if n := root["federation_version"]; n != nil {
		r.federation = r.scalar(n.Value)
	}
	n := root["subgraphs"]
	if n == nil {
		r.problem(body, "`subgraphs` is missing")
		return
	}
	subgraphs, ok := r.mapping(n.Value, "`subgraphs`")
	if !ok {
		return
	}
	if len(subgraphs) == 0 {
		r.problem(n.Value, "`subgraphs` has no entries")
	}
	for _, name := range sortedKeys(subgraphs) {
		r.subgraph(name, subgraphs[name])
	}
}

func syntaxProblem(name string, err error) Problem {
	p := Problem{File: name, Message: err.Error()}
	var y yaml.Error
	if errors.As(err, &y) {
		p.Message = y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}

// mapping reads a node as a map and reports what is no map and keys that stand twice.
func (r *reader) mapping(n ast.Node, what string) (map[string]*ast.MappingValueNode, bool) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.problem(n, "%s must be a map", what)
		return nil, false
	}
	all := map[string]*ast.MappingValueNode{}
	for _, v := range values {
		key := v.Key.String()
		if s, ok := v.Key.(*ast.StringNode); ok {
			key = s.Value
		}
		if all[key] != nil {
			r.problem(v.Key, "%q stands twice in %s", key, what)
			continue
		}
		all[key] = v
	}
	return all, true
}

func sortedKeys(m map[string]*ast.MappingValueNode) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// known warns of keys that nothing reads.
func (r *reader) known(m map[string]*ast.MappingValueNode, what string, keys ...string) {
	for _, k := range sortedKeys(m) {
		if !slices.Contains(keys, k) {
			p := r.place(m[k].Key)
			p.Message = fmt.Sprintf("unknown key %q in %s is ignored; known are %s", k, what, strings.Join(keys, ", "))
			r.warnings = append(r.warnings, p)
		}
	}
}

// scalar is a node's text, with ${...} expanded.
func (r *reader) scalar(n ast.Node) string {
	var text string
	switch n := n.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		text = n.GetToken().Value
	case *ast.NullNode:
		return ""
	default:
		r.problem(n, "expected a text")
		return ""
	}
	expanded, err := r.expand(text)
	if err != nil {
		r.problem(n, "%s", err)
	}
	return expanded
}

func (r *reader) subgraph(name string, n *ast.MappingValueNode) {
	what := fmt.Sprintf("subgraph %q", name)
	m, ok := r.mapping(n.Value, what)
	if !ok {
		return
	}
	r.known(m, what, "routing_url", "schema")
	s := &declared{Subgraph: compose.Subgraph{Name: name}, at: r.place(n.Key)}
	if u := m["routing_url"]; u != nil {
		s.URL = r.scalar(u.Value)
	}
	if m["schema"] == nil {
		r.problem(n.Key, "%s has no schema: give one of file, subgraph_url, sdl", what)
		return
	}
	source, ok := r.mapping(m["schema"].Value, "the schema of "+what)
	if !ok {
		return
	}
	if r.source(s, what, m["schema"], source) {
		r.subgraphs = append(r.subgraphs, s)
	}
}

// source reads the one source of a schema.
func (r *reader) source(s *declared, what string, at *ast.MappingValueNode, m map[string]*ast.MappingValueNode) bool {
	r.known(m, "the schema of "+what, "file", "subgraph_url", "introspection_headers", "sdl", "graphref", "subgraph")
	if n := m["graphref"]; n != nil {
		r.problem(n.Key, "%s: `graphref` is not supported: it needs an account with a schema registry; give file, subgraph_url or sdl", what)
		return false
	}
	given := 0
	for _, k := range []string{"file", "subgraph_url", "sdl"} {
		if m[k] != nil {
			given++
		}
	}
	if given != 1 {
		r.problem(at.Key, "%s: the schema needs exactly one of file, subgraph_url, sdl", what)
		return false
	}
	switch {
	case m["sdl"] != nil:
		s.SDL = r.scalar(m["sdl"].Value)
	case m["file"] != nil:
		return r.file(s, what, m["file"])
	default:
		s.address = r.scalar(m["subgraph_url"].Value)
		s.at = r.place(m["subgraph_url"].Value)
		if s.URL == "" {
			s.URL = s.address
		}
		s.headers = r.headers(what, m["introspection_headers"])
	}
	return true
}

func (r *reader) headers(what string, n *ast.MappingValueNode) map[string]string {
	if n == nil {
		return nil
	}
	m, _ := r.mapping(n.Value, "introspection_headers of "+what)
	headers := map[string]string{}
	for _, k := range sortedKeys(m) {
		headers[k] = r.scalar(m[k].Value)
	}
	return headers
}

func (r *reader) file(s *declared, what string, n *ast.MappingValueNode) bool {
	path := r.scalar(n.Value)
	s.File = path
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.folder, path)
	}
	text, err := r.open(path)
	if err != nil {
		r.problem(n.Value, "%s: read %s: %s", what, path, withoutPath(err))
		return false
	}
	s.SDL = string(text)
	return true
}

// withoutPath is the reason of a file system error, for messages that name the path themselves.
func withoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
