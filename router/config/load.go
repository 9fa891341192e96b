package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

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
	var errs []error
	for _, err := range slices.Concat(c.Serve.Validate(), c.Persisted.validate(), c.APIKeys.validate()) {
		errs = append(errs, fmt.Errorf("%s: %w", place(path, source, err), err))
	}
	for _, err := range []error{c.Headers.Validate(), c.RateLimit.Validate(), c.Overload.Validate(), c.Telemetry.Validate(), c.ResponseCache.Validate()} {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", place(path, source, err), err))
		}
	}
	return errors.Join(errs...)
}

// setting is the name of a setting with those that it is in, as messages begin with it.
var setting = regexp.MustCompile(`^[a-z_]+(\.\w+)*`)

// place is where the setting stands that a message begins with: the file with line and column, if it can be found there.
func place(path string, source []byte, err error) string {
	file, parseErr := parser.ParseBytes(source, 0)
	at, pathErr := yaml.PathString("$." + setting.FindString(err.Error()))
	if parseErr != nil || pathErr != nil {
		return path
	}
	node, findErr := at.FilterFile(file)
	if findErr != nil || node == nil {
		return path
	}
	found := node.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", path, found.Line, found.Column)
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
