package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Replicas that start at once migrate one after the other: each looks every second whether it is its turn, for
// five minutes.
const (
	lockProbeSeconds = 1
	lockProbes       = 300
)

// migrate applies the migrations that the database doesn't have yet, each in a transaction. A database that has
// one that this program doesn't know was made by a newer program, and is refused.
func migrate(ctx context.Context, db *DB, folders []fs.FS) error {
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithAllowOutofOrder(true)}
	if db.Dialect == Postgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockProbeSeconds, lockProbes))
		if err != nil {
			return err
		}
		dialect, options = goose.DialectPostgres, append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db.write.DB, overlay{folders, string(db.Dialect)}, options...)
	if err != nil {
		return err
	}
	if err := refuseNewer(ctx, db, provider); err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func refuseNewer(ctx context.Context, db *DB, provider *goose.Provider) error {
	if _, err := provider.GetDBVersion(ctx); err != nil { // It makes the table.
		return err
	}
	var applied []int64
	if err := db.write.SelectContext(ctx, &applied, `SELECT version_id FROM goose_db_version WHERE is_applied ORDER BY version_id DESC`); err != nil {
		return err
	}
	known := map[int64]bool{0: true}
	newest := int64(0)
	for _, s := range provider.ListSources() {
		known[s.Version] = true
		newest = max(newest, s.Version)
	}
	for _, version := range applied {
		if !known[version] {
			return fmt.Errorf("its schema has migration %d, but this program knows others up to %d: use the program that made it, or a newer one", version, newest)
		}
	}
	return nil
}

// overlay shows the files at the top of several folders, and those of one sub-folder of each, as one folder.
type overlay struct {
	folders []fs.FS
	sub     string
}

// Open opens a file of any of the folders.
func (o overlay) Open(name string) (fs.File, error) {
	for _, folder := range o.folders {
		for _, path := range []string{o.sub + "/" + name, name} {
			f, err := folder.Open(path)
			if !errors.Is(err, fs.ErrNotExist) {
				return f, err
			}
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists the migrations of all folders, in order of name.
func (o overlay) ReadDir(string) ([]fs.DirEntry, error) {
	var all []fs.DirEntry
	for _, folder := range o.folders {
		for _, path := range []string{".", o.sub} {
			entries, err := fs.ReadDir(folder, path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			all = append(all, entries...)
		}
	}
	all = slices.DeleteFunc(all, func(e fs.DirEntry) bool { return e.IsDir() })
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// Glob lists the migrations that a pattern names: goose asks for *.sql.
func (o overlay) Glob(pattern string) ([]string, error) {
	entries, err := o.ReadDir(".")
	var names []string
	for _, e := range entries {
		if ok, _ := path.Match(pattern, e.Name()); ok {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// NoRows reports whether a query of one row found none.
func NoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
