package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/subgraphs/products"
)

// extraction is what the flags of extract say.
type extraction struct {
	service, data, to    string
	back, fresh, abandon bool
	out                  io.Writer
	cfg                  settings
}

// extract moves a service's data from SQLite to Postgres, or back, while the system runs. The service's writes are
// refused by the old database from one commit on; agora dev sees by its data folder that it has to open the new one.
func extract(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	names, rest := leading(args)
	x := extraction{out: out}
	flags := flag.NewFlagSet("extract", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&x.data, "data", "data", "`folder` of the databases")
	flags.StringVar(&x.to, "to", "", "`URL` of the Postgres database that the data moves to; it has to be empty")
	flags.BoolVar(&x.back, "back", false, "move the data back into the folder")
	flags.BoolVar(&x.fresh, "fresh", false, "begin anew: what an earlier try has copied is copied again")
	flags.BoolVar(&x.abandon, "abandon", false, "have the database forget that a move was begun")
	if err := parse(flags, rest); err != nil {
		return err
	}
	movable := slices.DeleteFunc(slices.Clone(everything), func(name string) bool { return name == "node" })
	if len(names) != 1 || !slices.Contains(movable, names[0]) {
		return fmt.Errorf("extract: which service? Name one of %s", strings.Join(movable, ", "))
	}
	x.service = names[0]
	if one := x.to != ""; one && (x.back || x.abandon) || !one && !x.back && !x.abandon {
		return errors.New("extract: want one of --to URL, --back and --abandon")
	}
	unlock, err := lockFolder(filepath.Join(x.data, "extract"))
	if err != nil {
		return err
	}
	defer unlock()
	return x.run(ctx)
}

func (x *extraction) run(ctx context.Context) (err error) {
	if x.cfg, err = readFolder(x.data, nil); err != nil {
		return err
	}
	source, file := x.cfg.databaseOf(x.service), folderFile(x.data, x.service)
	if x.back {
		x.to = file
	} else if !x.abandon && !strings.HasPrefix(x.to, "postgres") {
		return fmt.Errorf("extract: --to %s: want postgres://…", x.to)
	}
	if source == x.to {
		return x.arrived(ctx)
	}
	if !x.abandon && x.back == strings.HasPrefix(source, "sqlite:") {
		return fmt.Errorf("extract: the data of %s is in %s", x.service, shown(source))
	}
	m := &move{service: x.service}
	if m.from, err = openEnd(source); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.from.close()) }()
	if x.abandon {
		return m.abandon(ctx)
	}
	moved, err := m.from.movedTo(ctx)
	if err != nil {
		return err
	}
	if moved != "" { // a run ended behind the commit that decides
		if moved != shown(x.to) {
			return fmt.Errorf("extract: the data of %s has moved to %s", x.service, moved)
		}
		return x.hand(ctx)
	}
	if err := x.claim(ctx); err != nil {
		return err
	}
	if m.to, err = openTarget(x.to); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.to.close()) }()
	return x.carry(ctx, m)
}

// carry moves the data and switches.
func (x *extraction) carry(ctx context.Context, m *move) error {
	if err := m.place(ctx); err != nil {
		return err
	}
	if err := m.begin(ctx); err != nil {
		return err
	}
	began := time.Now()
	if err := x.copy(ctx, m); err != nil {
		return err
	}
	fmt.Fprintf(x.out, "%s: %d tables, %d rows and %d changes are copied, and all rows are the same; %v\n", x.service, len(m.tables), m.rows, m.changes, time.Since(began).Round(time.Millisecond))
	if err := fault.Point("extract.verified"); err != nil {
		return err
	}
	pause, err := x.change(ctx, m)
	if err != nil {
		return err
	}
	fmt.Fprintf(x.out, "%s: writes have waited for %v\n", x.service, pause.Round(time.Millisecond))
	if err := fault.Point("extract.switched"); err != nil {
		return err
	}
	return x.hand(ctx)
}

// Copying ends when fewer than fewChanges come in a step, and in any case after manySteps without rows: a service that
// writes faster than is copied waits at the switch.
const (
	fewChanges = 50
	manySteps  = 100
)

// copy copies until the target is as the source, and compares both.
func (x *extraction) copy(ctx context.Context, m *move) error {
	for steps := 0; ; {
		snapshot, err := m.from.snapshot(ctx)
		if err != nil {
			return err
		}
		numbers, _, p, err := m.step(ctx, snapshot)
		if err == nil && p.State == stateCopied {
			if err = x.index(ctx); err == nil && (len(numbers) < fewChanges || steps > manySteps) {
				if err = m.sameRows(ctx, snapshot); err != nil {
					err = fmt.Errorf("extract: nothing is switched: %w", err)
				} else {
					steps = -1
				}
			}
		}
		snapshot.Rollback() // it has only read
		if err := errors.Join(err, m.forget(ctx, numbers)); err != nil {
			return err
		}
		switch {
		case steps < 0:
			return nil
		case p.State == stateCopied:
			steps++
		}
	}
}

// index gives products that were copied their places in the search's index.
func (x *extraction) index(ctx context.Context) error {
	if x.service != "products" {
		return nil
	}
	service, err := products.New(ctx, products.Config{Database: x.to, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = service.IndexMissing(ctx)
	return errors.Join(err, service.Close())
}

// change is the switch: while the source's writers wait, what they have written last is copied and compared; then the
// source refuses writes for good. Either all of it happens or nothing.
func (x *extraction) change(ctx context.Context, m *move) (pause time.Duration, err error) {
	err = m.from.tx(ctx, func(from *sqlx.Tx) error {
		if err := shut(ctx, from, m.from.dialect); err != nil {
			return err
		}
		began := time.Now()
		if err := m.to.tx(ctx, func(tx *sqlx.Tx) error { return loosen(ctx, tx, m.to.dialect) }); err != nil {
			return err
		}
		_, dirty, _, err := m.step(ctx, from)
		if err != nil {
			return err
		}
		if err := m.sameChanges(ctx, from, dirty); err != nil {
			return fmt.Errorf("extract: nothing is switched: %w", err)
		}
		if len(dirty["product"]) > 0 {
			if err := x.index(ctx); err != nil {
				return err
			}
		}
		if err := m.to.tx(ctx, func(tx *sqlx.Tx) error { return tighten(ctx, tx, m.to.dialect) }); err != nil {
			return err
		}
		if err := execAll(ctx, from, fence(m.from.dialect, m.tables, x.service)); err != nil {
			return err
		}
		_, err = from.ExecContext(ctx, `INSERT INTO extraction_moved (url) VALUES ($1)`, shown(x.to))
		pause = time.Since(began)
		return err
	})
	return pause, err
}

// hand tells the data folder where the data is now, and cleans up.
func (x *extraction) hand(ctx context.Context) error {
	if err := writeMoved(x.data, x.service, x.to); err != nil {
		return err
	}
	return x.arrived(ctx)
}

// arrived ends a move whose data the service has.
func (x *extraction) arrived(ctx context.Context) error {
	to, err := openEnd(x.to)
	if err != nil {
		return err
	}
	if err := errors.Join(to.validate(ctx), to.close()); err != nil {
		return err
	}
	fmt.Fprintf(x.out, "%s: the data is in %s; agora dev on %s opens it by itself\n", x.service, shown(x.to), x.data)
	return nil
}

// claim makes the target this move's: it has to be empty, or this move's from an earlier run.
func (x *extraction) claim(ctx context.Context) error {
	if x.back {
		if err := setAside(ctx, x.to); err != nil {
			return err
		}
	}
	to, err := openTarget(x.to)
	if err != nil {
		return err
	}
	if err := errors.Join(x.claimed(ctx, to), to.close()); err != nil {
		return err
	}
	return x.cfg.with(x.service, x.to).migrate(ctx, x.service)
}

func (x *extraction) claimed(ctx context.Context, to *end) error {
	begun, err := to.has(ctx, "extraction")
	if err != nil {
		return err
	}
	if begun {
		var service string
		if err := to.read.GetContext(ctx, &service, `SELECT service FROM extraction`); err != nil {
			return err
		}
		if service != x.service {
			return fmt.Errorf("extract: %s is what the data of %s is moving to", shown(x.to), service)
		}
		if !x.fresh {
			return nil
		}
		return to.tx(ctx, func(tx *sqlx.Tx) error { return execAll(ctx, tx, []string{`UPDATE extraction SET state = ''`}) })
	}
	used, err := to.has(ctx, "goose_db_version")
	if err == nil && used {
		err = fmt.Errorf("extract: %s is not empty: name a database that is", shown(x.to))
	}
	if err != nil {
		return err
	}
	return to.tx(ctx, func(tx *sqlx.Tx) error {
		return execAll(ctx, tx, []string{
			`CREATE TABLE extraction (service TEXT PRIMARY KEY, state TEXT NOT NULL, name TEXT NOT NULL, row_key TEXT NOT NULL)`,
			`CREATE TABLE extraction_restore (name TEXT PRIMARY KEY, statement TEXT NOT NULL)`,
			`INSERT INTO extraction (service, state, name, row_key) VALUES ('` + x.service + `', '', '', '')`,
		})
	})
}

// abandon has the source note its changes no more.
func (m *move) abandon(ctx context.Context) error {
	moved, err := m.from.movedTo(ctx)
	if err != nil {
		return err
	}
	if moved != "" {
		return fmt.Errorf("extract: the data of %s has moved to %s: too late to abandon it", m.service, moved)
	}
	if m.tables, err = m.from.relations(ctx); err != nil {
		return err
	}
	return m.from.each(ctx, release(m.from.dialect, m.tables))
}

// movedTo is where the data of a database has moved to, empty if it hasn't.
func (e *end) movedTo(ctx context.Context) (url string, err error) {
	moved, err := e.has(ctx, "extraction_moved")
	if err != nil || !moved {
		return "", err
	}
	if err = e.read.GetContext(ctx, &url, `SELECT url FROM extraction_moved`); database.NoRows(err) {
		return "", nil
	}
	return url, err
}

// setAside renames a file whose data has moved away: it stays readable as NAME.db.moved.
func setAside(ctx context.Context, target string) error {
	path := strings.TrimPrefix(target, "sqlite:")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	e, err := openEnd(target)
	if err != nil {
		return err
	}
	moved, err := e.movedTo(ctx)
	if err = errors.Join(err, e.close()); err != nil || moved == "" {
		return err // what else it is, is claim's question
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, path+".moved"+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// shown is a database's URL without its password and parameters.
func shown(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme == "sqlite" {
		return rawURL
	}
	u.RawQuery = ""
	return u.Redacted()
}
