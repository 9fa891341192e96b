package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

// File is a manifest in a file, or a folder of documents and manifests.
type File struct {
	// Path is that of the file or the folder.
	Path string
	// Naming says what ids the .graphql files of a folder have. Empty means both.
	Naming manifest.Naming
}

var _ Store = File{}

// String is the path.
func (f File) String() string { return f.Path }

// Load reads the file, or all files of the folder, if one of their names, sizes or times has changed.
func (f File) Load(_ context.Context, since string) ([]manifest.Document, string, error) {
	version, isFolder, err := f.version()
	if err != nil {
		return nil, "", fmt.Errorf("documents: %w", err)
	}
	if version == since {
		return nil, version, nil
	}
	var documents []manifest.Document
	switch {
	case isFolder:
		documents, err = manifest.Folder(os.DirFS(f.Path), f.Naming)
	case manifest.IsDocument(f.Path):
		// A file that is named alone is a folder of one.
		documents, err = manifest.Folder(onlyFS{os.DirFS(filepath.Dir(f.Path)), filepath.Base(f.Path)}, f.Naming)
	default:
		documents, err = f.read()
	}
	if err != nil {
		return nil, "", fmt.Errorf("documents: %s: %w", f.Path, err)
	}
	return documents, version, nil
}

func (f File) read() ([]manifest.Document, error) {
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	return manifest.Parse(raw)
}

// version lists the files with what changes when they are written. A file that was written within the clock's coarsest
// step is read again: it may change once more without a newer time.
func (f File) version() (version string, isFolder bool, err error) {
	const coarsest = 2 * time.Second
	var b strings.Builder
	b.WriteString("files\n") // an empty folder has a version, too
	err = filepath.WalkDir(f.Path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			isFolder = isFolder || name == f.Path
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed since the folder was listed
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %d %d %t\n", name, info.Size(), info.ModTime().UnixNano(), time.Since(info.ModTime()) < coarsest)
		return nil
	})
	return b.String(), isFolder, err
}

// onlyFS shows one file of a folder.
type onlyFS struct {
	fs.FS
	name string
}

// ReadDir lists the one file.
func (f onlyFS) ReadDir(string) ([]fs.DirEntry, error) {
	info, err := fs.Stat(f.FS, f.name)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}

// Update rewrites the manifest as a whole, in Apollo's format, by a rename: readers see the old one or the new one. A file
// that is not there is an empty manifest. Of a folder nothing can be updated.
func (f File) Update(ctx context.Context, change func([]manifest.Document) ([]manifest.Document, error)) error {
	if info, err := os.Stat(f.Path); err == nil && info.IsDir() || filepath.Ext(f.Path) != ".json" {
		return fmt.Errorf("update documents: %s is not a manifest: name a .json file", f.Path)
	}
	unlock, err := lock(ctx, f.Path+".lock")
	if err != nil {
		return fmt.Errorf("update documents: %w", err)
	}
	defer unlock()
	documents, err := f.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("update documents: %s: %w", f.Path, err)
	}
	if documents, err = change(documents); err != nil {
		return err
	}
	if err := replaceFile(f.Path, manifest.Format(documents)); err != nil {
		return fmt.Errorf("update documents: %w", err)
	}
	return nil
}

// replaceFile writes a file so that it is there as a whole or not at all.
func replaceFile(path string, content []byte) error {
	next, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = next.Write(content)
	err = errors.Join(err, next.Chmod(0o644), next.Sync(), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		_ = os.Remove(next.Name())
	}
	return err
}

// lockWait is how long one update waits for others, which take milliseconds.
const lockWait = 10 * time.Second

// lock creates a file that nobody else has. A program that was killed leaves it behind; the error says so.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err == nil {
			return func() { _ = os.Remove(path) }, f.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("%s is held by another update: remove it if there is none", path)
		}
	}
}
