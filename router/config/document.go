package config

import (
	"path/filepath"
	"reflect"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Decode reads a YAML document into the struct that into points to, by the rules of the router's own configuration file:
// names in snake case, strict, with ${env.NAME} and ${file.path} expanded, and all errors at once, each with its place.
// path names the document in errors, and its folder is where relative paths of ${file.path} start. Field tags say more:
// required, enum, format, min and max.
func Decode(path string, source []byte, into any) error {
	file, err := parser.ParseBytes(source, 0)
	if err != nil {
		return syntaxError(path, err)
	}
	d := &decoder{file: path, dir: filepath.Dir(path), anchors: make(map[string]ast.Node)}
	if len(file.Docs) > 1 {
		d.fail(file.Docs[1].Start, "one document expected, found a second one")
	}
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		ast.Walk(d, file.Docs[0].Body)
		d.decode(file.Docs[0].Body, reflect.ValueOf(into).Elem(), "")
	}
	return d.err()
}
