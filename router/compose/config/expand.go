package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// expand replaces ${env.NAME}, ${env.NAME:-default} and ${file.path}.
func (r *reader) expand(text string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		expression, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf("${ without }")
		}
		value, err := r.variable(expression)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		text = after
	}
}

func (r *reader) variable(expression string) (string, error) {
	if name, ok := strings.CutPrefix(expression, "env."); ok {
		name, otherwise, hasDefault := strings.Cut(name, ":-")
		if value, set := r.LookupEnv(name); set && (value != "" || !hasDefault) {
			return value, nil
		}
		if hasDefault {
			return otherwise, nil
		}
		return "", fmt.Errorf("environment variable %s is not set; give a default with ${env.%s:-value}", name, name)
	}
	if path, ok := strings.CutPrefix(expression, "file."); ok {
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.folder, path)
		}
		text, err := r.open(path)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", path, withoutPath(err))
		}
		return strings.TrimSpace(string(text)), nil
	}
	return "", fmt.Errorf("unknown expression ${%s}: write ${env.NAME}, ${env.NAME:-default} or ${file.path}", expression)
}
