// Package manifest reads and writes lists of persisted documents: files in, Documents out.
//
// The formats are told apart by their content:
//   - Apollo's manifest, version 1, with GraphOS's clientName and our own retireAt as further members
//     (https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format);
//   - an object from ids to texts, as Relay's compiler, Hive and GraphQL Code Generator write it;
//   - a list of pairs of an id and a text, as old Relay compilers write it;
//   - a folder of .graphql files, each a document (Folder).
//
// An id is opaque: nothing is concluded from its form, and nobody recomputes it.
package manifest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Document is one persisted document.
type Document struct {
	// ID is what clients send instead of the text.
	ID string
	// Client is whose document it is, by name, or by name~version; empty means everybody's.
	Client string
	// Name is that of its first operation; empty if that has none.
	Name string
	// Kind is "query", "mutation" or "subscription"; empty if the text does not parse.
	Kind string
	// Text is what is executed.
	Text string
	// RetireAt is when the document ceases to be known; zero means never.
	RetireAt time.Time
}

// Retired says whether the document is no longer known at a time.
func (d Document) Retired(now time.Time) bool { return !d.RetireAt.IsZero() && !now.Before(d.RetireAt) }

const (
	apolloFormat  = "apollo-persisted-query-manifest"
	apolloVersion = 1
)

// apollo is Apollo's format.
type apollo struct {
	Format     string      `json:"format"`
	Version    int         `json:"version"`
	Operations []operation `json:"operations"`
}

type operation struct {
	ID         string     `json:"id"`
	ClientName string     `json:"clientName,omitempty"`
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Body       string     `json:"body"`
	RetireAt   *time.Time `json:"retireAt,omitempty"`
}

// Parse reads a manifest in any of the formats in JSON. Documents come in the order of the list, those of an object in
// the order of their ids. What is no manifest at all is an error; texts are taken as they are, valid or not.
func Parse(raw []byte) ([]Document, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, errors.New("manifest: the file is empty")
	}
	if raw[0] == '[' {
		return parsePairs(raw)
	}
	var head struct {
		Format  *string         `json:"format"`
		Version json.RawMessage `json:"version"`
	}
	// A map may have an id called format, too; its value is a document, and there is no version beside it.
	if json.Unmarshal(raw, &head) == nil && head.Format != nil && head.Version != nil {
		return parseApollo(raw)
	}
	var texts map[string]string
	if err := json.Unmarshal(raw, &texts); err != nil {
		return nil, fmt.Errorf("manifest: neither Apollo's format, nor an object from ids to texts, nor a list of pairs: %w", err)
	}
	documents := make([]Document, 0, len(texts))
	for id, text := range texts {
		documents = append(documents, describe(Document{ID: id, Text: text}))
	}
	slices.SortFunc(documents, Compare)
	return documents, check(documents)
}

func parseApollo(raw []byte) ([]Document, error) {
	var m apollo
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if m.Format != apolloFormat || m.Version != apolloVersion {
		return nil, fmt.Errorf("manifest: format %q version %d is unknown: want %s version %d", m.Format, m.Version, apolloFormat, apolloVersion)
	}
	documents := make([]Document, len(m.Operations))
	for i, op := range m.Operations {
		d := Document{ID: op.ID, Client: op.ClientName, Name: op.Name, Text: op.Body}
		if op.RetireAt != nil {
			d.RetireAt = *op.RetireAt
		}
		documents[i] = describe(d)
	}
	return documents, check(documents)
}

func parsePairs(raw []byte) ([]Document, error) {
	var pairs [][]string
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return nil, fmt.Errorf("manifest: a list, but not of pairs of an id and a text: %w", err)
	}
	documents := make([]Document, len(pairs))
	for i, pair := range pairs {
		if len(pair) != 2 {
			return nil, fmt.Errorf("manifest: entry %d of the list has %d elements: want an id and a text", i, len(pair))
		}
		documents[i] = describe(Document{ID: pair[0], Text: pair[1]})
	}
	return documents, check(documents)
}

// describe sets kind and name, which manifests need not have and routers ignore.
func describe(d Document) Document {
	doc, err := parser.ParseQuery(&ast.Source{Input: d.Text})
	if err == nil && len(doc.Operations) > 0 {
		d.Kind = string(doc.Operations[0].Operation)
		d.Name = cmp.Or(d.Name, doc.Operations[0].Name)
	}
	return d
}

// check refuses what can't be asked for, and an id that stands for two texts.
func check(documents []Document) error {
	type key struct{ client, id string }
	texts := make(map[key]string, len(documents))
	for i, d := range documents {
		k := key{d.Client, d.ID}
		if d.ID == "" {
			return fmt.Errorf("manifest: entry %d has no id", i)
		}
		if text, twice := texts[k]; twice && text != d.Text {
			return fmt.Errorf("manifest: the id %q stands for two documents", d.ID)
		}
		texts[k] = d.Text
	}
	return nil
}

// Compare sorts documents by client, name and id.
func Compare(a, b Document) int {
	return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// Format writes documents in Apollo's format, sorted by client, name and id: the same documents, the same bytes.
func Format(documents []Document) []byte {
	m := apollo{Format: apolloFormat, Version: apolloVersion, Operations: make([]operation, 0, len(documents))}
	for _, d := range slices.SortedFunc(slices.Values(documents), Compare) {
		op := operation{ID: d.ID, ClientName: d.Client, Name: d.Name, Type: d.Kind, Body: d.Text}
		if !d.RetireAt.IsZero() {
			at := d.RetireAt.UTC()
			op.RetireAt = &at
		}
		m.Operations = append(m.Operations, op)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		panic(fmt.Sprintf("encode manifest: %v", err)) // texts and times always encode
	}
	return b.Bytes()
}
