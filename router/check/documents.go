package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

// ReadDocuments reads the operations of clients. The path is one of
//   - a folder, of whose .graphql and .gql files at any depth every operation is taken, with the fragments that it uses
//     from whichever of the files defines them;
//   - one such file;
//   - a manifest of persisted documents in JSON, of any format that manifest.Parse reads, or a folder of them without .graphql files.
//
// Every file that can't be read or parsed is reported.
func ReadDocuments(path string) ([]Document, error) {
	if filepath.Ext(path) == ".json" {
		return readManifest(path)
	}
	var files, manifests []string
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if ext := filepath.Ext(file); err == nil && !entry.IsDir() && (file == path || ext == ".graphql" || ext == ".gql") {
			files = append(files, file)
		} else if err == nil && !entry.IsDir() && ext == ".json" && !strings.HasPrefix(entry.Name(), ".") {
			manifests = append(manifests, file)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	if len(files)+len(manifests) == 0 {
		return nil, fmt.Errorf("documents: %s holds no .graphql or .gql file, and no manifest", path)
	}
	s := sources{fragments: map[string][]definition{}}
	var errs []error
	for _, file := range files {
		if err := s.read(file); err != nil {
			errs = append(errs, fmt.Errorf("documents: %w", err))
		}
	}
	// Beside .graphql files there are other files in JSON, in a program's sources.
	if len(files) == 0 {
		return readManifests(manifests)
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

func readManifests(paths []string) ([]Document, error) {
	var all []Document
	var errs []error
	for _, path := range paths {
		read, err := readManifest(path)
		all, errs = append(all, read...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

func readManifest(path string) ([]Document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	read, err := manifest.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("documents: %s: %w", path, err)
	}
	return FromManifest(path, read), nil
}

// FromManifest are the operations of a manifest that has been read from a file, or elsewhere. Those that have ended are left out.
func FromManifest(file string, documents []manifest.Document) []Document {
	var all []Document
	now := time.Now()
	for _, d := range documents {
		if !d.Retired(now) {
			all = append(all, Document{File: file, Client: d.Client, ID: d.ID, Operation: d.Name, Text: d.Text})
		}
	}
	return all
}
