package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// Naming says what ids the documents of a folder have.
type Naming string

// The namings. The zero value is the same as NamedByBoth.
const (
	// NamedByBoth gives each document two ids.
	NamedByBoth Naming = "both"
	// NamedBySHA256 makes the lower-case hexadecimal SHA-256 of the text the id: of the file's bytes, and of those without
	// the white space at their end, which editors add.
	NamedBySHA256 Naming = "sha256"
	// NamedByFile makes the file's path below the folder the id, without its extension.
	NamedByFile Naming = "name"
)

// IsDocument says whether a file holds GraphQL by its name.
func IsDocument(name string) bool {
	ext := path.Ext(name)
	return ext == ".graphql" || ext == ".gql"
}

// Folder reads a folder, at any depth: each .graphql or .gql file is a document, each .json file a manifest. Files whose
// names begin with a dot are left out.
func Folder(fsys fs.FS, naming Naming) ([]Document, error) {
	var documents []Document
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entryName(entry), ".") && name != "."
		switch {
		case err != nil:
			return err
		case hidden && entry.IsDir():
			return fs.SkipDir
		case hidden || entry.IsDir() || !IsDocument(name) && path.Ext(name) != ".json":
			return nil
		}
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if IsDocument(name) {
			documents = append(documents, named(name, string(raw), naming)...)
			return nil
		}
		read, err := Parse(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		documents = append(documents, read...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("folder of documents: %w", err)
	}
	return documents, check(documents)
}

func entryName(entry fs.DirEntry) string {
	if entry == nil {
		return ""
	}
	return entry.Name()
}

// named is a file's document under each of its ids.
func named(file, text string, naming Naming) []Document {
	var ids []string
	if naming != NamedBySHA256 {
		ids = append(ids, filepath.ToSlash(strings.TrimSuffix(file, path.Ext(file))))
	}
	if naming != NamedByFile {
		ids = append(ids, SHA256(text))
		if trimmed := strings.TrimRight(text, " \t\r\n"); trimmed != text {
			ids = append(ids, SHA256(trimmed))
		}
	}
	documents := make([]Document, len(ids))
	for i, id := range ids {
		documents[i] = describe(Document{ID: id, Text: text})
	}
	return documents
}

// SHA256 is the lower-case hexadecimal SHA-256 of a text in UTF-8.
func SHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
