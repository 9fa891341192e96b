package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// expand replaces ${env.NAME}, ${env.NAME:-default} and ${file.path} in a value; a default also stands in for
// an empty variable, as in a shell. A file's content is taken without the line break at its end; its path is
// relative to dir. $${ stands for ${.
func expand(text, dir string) (string, error) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			b.WriteString(text)
			return b.String(), nil
		}
		if escaped, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(escaped)
			b.WriteString("${")
			text = after
			continue
		}
		b.WriteString(before)
		reference, rest, closed := strings.Cut(after, "}")
		if !closed {
			return "", fmt.Errorf("${%s: the closing } is missing", after)
		}
		value, err := lookUp(reference, dir)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		text = rest
	}
}

func lookUp(reference, dir string) (string, error) {
	if name, ok := strings.CutPrefix(reference, "env."); ok {
		name, alternative, hasDefault := strings.Cut(name, ":-")
		if value := os.Getenv(name); value != "" {
			return value, nil
		}
		if _, set := os.LookupEnv(name); !set && !hasDefault {
			return "", fmt.Errorf("the environment variable %s is not set: set it, or write ${env.%s:-default}", name, name)
		}
		return alternative, nil
	}
	if path, ok := strings.CutPrefix(reference, "file."); ok {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("expand ${%s}: %w", reference, err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"), nil
	}
	return "", fmt.Errorf("unknown reference ${%s}: expected ${env.NAME}, ${env.NAME:-default} or ${file.path}", reference)
}
