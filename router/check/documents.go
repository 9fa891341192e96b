package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// ReadDocuments reads the operations of clients. The path is one of
//   - a folder, of whose .graphql and .gql files at any depth every operation is taken, with the fragments that it uses
//     from whichever of the files defines them;
//   - one such file;
//   - a JSON file: Apollo's manifest of persisted queries
//     (https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format), or a map from keys to
//     texts, as Relay's compiler and others write it.
//
// Every file that can't be read or parsed is reported.
func ReadDocuments(path string) ([]Document, error) {
	if filepath.Ext(path) == ".json" {
		return readManifest(path)
	}
	var files []string
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if ext := filepath.Ext(file); err == nil && !entry.IsDir() && (file == path || ext == ".graphql" || ext == ".gql") {
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("documents: %s holds no .graphql or .gql file", path)
	}
	s := sources{fragments: map[string][]definition{}}
	var errs []error
	for _, file := range files {
		if err := s.read(file); err != nil {
			errs = append(errs, fmt.Errorf("documents: %w", err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s.documents()
}

func parseQuery(file, text string) (*ast.QueryDocument, error) {
	return parser.ParseQuery(&ast.Source{Name: file, Input: text})
}

// definition is the text of an operation or a fragment.
type definition struct {
	name, file string
	line       int
	text       string
	spreads    []string
}

// sources are the definitions of all files.
type sources struct {
	operations []definition
	fragments  map[string][]definition
}

func (s *sources) read(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	doc, err := parseQuery(file, string(text))
	if err != nil {
		return err
	}
	var starts []int
	for _, op := range doc.Operations {
		starts = append(starts, op.Position.Start)
	}
	for _, f := range doc.Fragments {
		starts = append(starts, f.Position.Start)
	}
	slices.Sort(starts)
	runes := []rune(string(text))
	// A definition ends where the next one starts; what stands between are comments.
	cut := func(name string, at *ast.Position, set ast.SelectionSet) definition {
		end := len(runes)
		if i, _ := slices.BinarySearch(starts, at.Start+1); i < len(starts) {
			end = starts[i]
		}
		return definition{
			name: name, file: file, line: at.Line, spreads: spreads(set, nil),
			text: strings.Repeat(" ", at.Column-1) + string(runes[at.Start:end]),
		}
	}
	for _, op := range doc.Operations {
		s.operations = append(s.operations, cut(op.Name, op.Position, op.SelectionSet))
	}
	for _, f := range doc.Fragments {
		s.fragments[f.Name] = append(s.fragments[f.Name], cut(f.Name, f.Position, f.SelectionSet))
	}
	return nil
}

// spreads are the names of the fragments that a selection set spreads.
func spreads(set ast.SelectionSet, into []string) []string {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			into = spreads(selection.SelectionSet, into)
		case *ast.InlineFragment:
			into = spreads(selection.SelectionSet, into)
		case *ast.FragmentSpread:
			into = append(into, selection.Name)
		}
	}
	return into
}

// documents are the operations, each with its fragments. A fragment that nobody defines is left to validation.
func (s *sources) documents() ([]Document, error) {
	var all []Document
	for _, op := range s.operations {
		d := Document{File: op.file, Operation: op.name}
		d.append(op)
		taken := map[string]bool{}
		for wanted := op.spreads; len(wanted) > 0; {
			name := wanted[0]
			wanted = wanted[1:]
			found := s.fragments[name]
			if taken[name] || len(found) == 0 {
				continue
			}
			taken[name] = true
			f := found[0]
			if i := slices.IndexFunc(found, func(f definition) bool { return f.file == op.file }); i >= 0 {
				f = found[i]
			} else if len(found) > 1 {
				return nil, fmt.Errorf("documents: fragment %s, which %s uses, is defined in %s and in %s", name, op.file, found[0].file, found[1].file)
			}
			d.append(f)
			wanted = append(wanted, f.spreads...)
		}
		all = append(all, d)
	}
	return all, nil
}

// append adds a definition's text.
func (d *Document) append(def definition) {
	if d.Text != "" && !strings.HasSuffix(d.Text, "\n") {
		d.Text += "\n"
	}
	d.lines = append(d.lines, segment{line: strings.Count(d.Text, "\n") + 1, file: def.file, fileLine: def.line})
	d.Text += def.text
}

func readManifest(path string) ([]Document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	var manifest struct {
		Format     string `json:"format"`
		Version    int    `json:"version"`
		Operations []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
			Body string `json:"body"`
		} `json:"operations"`
	}
	if json.Unmarshal(text, &manifest) == nil && manifest.Format != "" {
		if manifest.Format != "apollo-persisted-query-manifest" || manifest.Version != 1 {
			return nil, fmt.Errorf("documents: %s: format %q version %d is unknown: want apollo-persisted-query-manifest version 1", path, manifest.Format, manifest.Version)
		}
		var all []Document
		for _, op := range manifest.Operations {
			all = append(all, Document{File: path, ID: op.ID, Operation: op.Name, Text: op.Body})
		}
		return all, nil
	}
	var byKey map[string]string
	if err := json.Unmarshal(text, &byKey); err != nil {
		return nil, fmt.Errorf("documents: %s is neither Apollo's manifest nor a map from keys to operations: %w", path, err)
	}
	var all []Document
	for _, key := range names(byKey, nil) {
		d := Document{File: path, ID: key, Text: byKey[key]}
		if doc, err := parseQuery(path, d.Text); err == nil && len(doc.Operations) > 0 {
			d.Operation = doc.Operations[0].Name
		}
		all = append(all, d)
	}
	return all, nil
}
