package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
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
	var cfg Config
	if err := Decode(path, source, &cfg); err != nil {
		return Config{}, err
	}
	cfg.locate(filepath.Dir(path))
	return cfg, cfg.check(path, source)
}

// check is for rules that packages have for their settings, or that span several.
func (c Config) check(path string, source []byte) error {
	all := slices.Concat(c.Serve.Validate(), c.Persisted.validate(), c.APIKeys.validate(), c.Identity.Validate())
	for _, err := range []error{c.Headers.Validate(), c.RateLimit.Validate(), c.Overload.Validate(), c.Telemetry.Validate(), c.ResponseCache.Validate()} {
		all = append(all, each(err)...)
	}
	all = append(all, c.collisions()...)
	found := decoder{file: path}
	for _, err := range all {
		found.place(source, err)
	}
	return found.err()
}

// collisions are the pages that would hide others, or be hidden.
func (c Config) collisions() (errs []error) {
	taken := map[string]bool{keySetPath: true}
	for _, page := range []struct{ setting, path, example string }{
		{"telemetry.metrics.path", c.Telemetry.Metrics.Path, "/metrics"},
		{"response_cache.invalidation.path", c.ResponseCache.Invalidation.Path, "/cache/invalidate"},
	} {
		if page.path != "" && (taken[page.path] || c.Serve.Taken(page.path)) {
			errs = append(errs, fmt.Errorf("%s %q: taken by another of the router's pages: expected one of its own, such as %s", page.setting, page.path, page.example))
		}
		taken[page.path] = true
	}
	return errs
}

// each is the errors that one joins.
func each(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// setting is the name of a setting with those that it is in, as messages begin with it.
var setting = regexp.MustCompile(`^[a-z_]+(\.\w+|\[\d+\])*`)

// place notes an error where the setting stands that its message begins with, or for the file, if it isn't there.
func (d *decoder) place(source []byte, err error) {
	file, parseErr := parser.ParseBytes(source, 0)
	at, pathErr := yaml.PathString("$." + setting.FindString(err.Error()))
	if parseErr == nil && pathErr == nil {
		if node, findErr := at.FilterFile(file); findErr == nil && node != nil {
			d.fail(node.GetToken(), "%w", err)
			return
		}
	}
	d.errs = append(d.errs, positioned{err: fmt.Errorf("%s: %w", d.file, err)})
}

// syntaxError is the parser's error on one line.
func syntaxError(path string, err error) error {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		at := syntax.Token.Position
		if strings.Contains(syntax.Message, "'\t'") {
			return fmt.Errorf("%s:%d:%d: found a tab: YAML is indented with spaces", path, at.Line, at.Column)
		}
		return fmt.Errorf("%s:%d:%d: %s", path, at.Line, at.Column, syntax.Message)
	}
	return fmt.Errorf("%s: %w", path, err)
}
