package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"
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
	return cfg, cfg.check(path)
}

// check is for rules that span settings: they have no position.
func (c Config) check(path string) error {
	var errs []error
	for _, err := range slices.Concat(c.Serve.Validate(), c.Persisted.validate(), c.APIKeys.validate()) {
		errs = append(errs, fmt.Errorf("%s: %w", path, err))
	}
	for _, err := range []error{c.Headers.Validate(), c.RateLimit.Validate(), c.Overload.Validate(), c.Telemetry.Validate(), c.ResponseCache.Validate()} {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
		}
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
