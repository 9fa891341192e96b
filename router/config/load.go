package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Load reads a configuration file. On errors it returns all of them, joined, one a line, each as
// file:line:column: what is wrong and what was expected.
func Load(path string) (Config, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, source)
}

// Parse is Load for a text that is at hand. path names it in errors, and its folder is where relative paths
// start.
func Parse(path string, source []byte) (Config, error) {
	file, err := parser.ParseBytes(source, 0)
	if err != nil {
		return Config{}, syntaxError(path, err)
	}
	d := &decoder{file: path, dir: filepath.Dir(path), anchors: make(map[string]ast.Node)}
	var cfg Config
	if len(file.Docs) > 1 {
		d.fail(file.Docs[1].Start, "one document expected, found a second one")
	}
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		ast.Walk(d, file.Docs[0].Body)
		d.decode(file.Docs[0].Body, reflect.ValueOf(&cfg).Elem(), "")
	}
	if err := d.err(); err != nil {
		return Config{}, err
	}
	if cfg.Supergraph != "" && !filepath.IsAbs(cfg.Supergraph) {
		cfg.Supergraph = filepath.Join(d.dir, cfg.Supergraph)
	}
	return cfg, cfg.check(path)
}

// check is for rules that span settings: they have no position.
func (c Config) check(path string) error {
	var errs []error
	for _, err := range c.Serve.Validate() {
		errs = append(errs, fmt.Errorf("%s: %w", path, err))
	}
	if err := c.Headers.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", path, err))
	}
	return errors.Join(errs...)
}

// syntaxError is the parser's error on one line.
func syntaxError(path string, err error) error {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		at := syntax.Token.Position
		return fmt.Errorf("%s:%d:%d: %s", path, at.Line, at.Column, syntax.Message)
	}
	return fmt.Errorf("%s: %w", path, err)
}
