package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrate applies the migrations that the database doesn't have yet, each in a transaction. A database that has
// one that this program doesn't know was made by a newer program, and is refused.
func migrate(ctx context.Context, db *DB, fsys fs.FS) error {
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{}
	if db.Dialect == Postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		dialect, options = goose.DialectPostgres, append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db.write.DB, overlay{fsys, string(db.Dialect)}, options...)
	if err != nil {
		return err
	}
	if err := refuseNewer(ctx, provider); err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func refuseNewer(ctx context.Context, provider *goose.Provider) error {
	has, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	known := int64(0)
	for _, s := range provider.ListSources() {
		known = max(known, s.Version)
	}
	if has > known {
		return fmt.Errorf("its schema is version %d, but this program knows up to %d: use the program that made it, or a newer one", has, known)
	}
	return nil
}

// overlay shows the files at the top of a folder and those of one sub-folder as one folder.
type overlay struct {
	fs.FS
	sub string
}

// Open opens a file of either folder.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(o.sub + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.FS.Open(name)
	}
	return f, err
}

// ReadDir lists the migrations of both folders, in order of name.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	top, err := fs.ReadDir(o.FS, name)
	if err != nil {
		return nil, err
	}
	own, err := fs.ReadDir(o.FS, o.sub)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	all := slices.DeleteFunc(append(top, own...), func(e fs.DirEntry) bool { return e.IsDir() })
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// Glob lists the migrations that a pattern names; goose asks for all of them.
func (o overlay) Glob(pattern string) ([]string, error) {
	entries, err := o.ReadDir(".")
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), pattern[strings.LastIndexByte(pattern, '.'):]) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// NoRows reports whether a query of one row found none.
func NoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
