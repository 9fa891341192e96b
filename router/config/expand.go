package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// fileReference is a file that is referred to, and what stands before it if it is none.
var fileReference = regexp.MustCompile(`\$?\$\{file\.([^}]*)\}`)

// References are the files whose content stands in a configuration for ${file.path}, sorted: when one of them changes, so does the
// configuration. path and source are those of Parse.
func References(path string, source []byte) []string {
	var files []string
	for _, found := range fileReference.FindAllSubmatch(source, -1) {
		if !strings.HasPrefix(string(found[0]), "$$") {
			files = append(files, resolve(string(found[1]), filepath.Dir(path)))
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// resolve is the path of a file that is referred to.
func resolve(path, dir string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
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
		content, err := os.ReadFile(resolve(path, dir))
		if err != nil {
			return "", fmt.Errorf("expand ${%s}: %w", reference, err)
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r"), nil
	}
	return "", fmt.Errorf("unknown reference ${%s}: expected ${env.NAME}, ${env.NAME:-default} or ${file.path}", reference)
}
