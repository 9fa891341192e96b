package main

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/database"
)

// paceSingle is pace for the shop in one process on SQLite. Beside it, what people's checkouts have written in a while is
// written again, to databases as they were before, with the same settings: the very statements, in as many transactions, those
// of a database in their order, and all databases at a time. That is all that SQLite has to do; what the shop needs beyond it is
// its own.
func paceSingle(ctx context.Context, cfg *config) (string, error) {
	s, err := cfg.newStand(ctx, "sqlite", "pace")
	if err != nil {
		return "", err
	}
	all, m, err := s.recorded(ctx)
	if err != nil {
		return "", err
	}
	p, err := s.open()
	if err != nil {
		return "", err
	}
	defer p.interrupt()
	m.moveTo(p.url)
	m.checkouts(ctx, cfg.length/4) // caches and pools are warm
	var shop, raw float64
	for range paceRounds {
		n, took := m.checkouts(ctx, cfg.length)
		shop += float64(n) / took.Seconds() / paceRounds
		wait(ctx, afterwards)
		if took, err = all.again(ctx, filepath.Join(cfg.folder, "raw")); err != nil {
			return "", err
		}
		raw += float64(all.checkouts) / took.Seconds() / paceRounds
	}
	figures := fmt.Sprintf("%d buyers at a time: %.1f checkouts/s; their writes alone, %v: %.1f/s; ratio %.2f", paceClients, shop, all, raw, shop/raw)
	if shop/raw < 0.5 {
		return figures, errors.New("it is less than half of it")
	}
	return figures, nil
}

// afterwards is how long events go on behind the answers.
const afterwards = 5 * time.Second

// recorded is what checkouts wrote.
type recorded struct {
	// folder holds the databases as they were before.
	folder    string
	checkouts int
	// transactions are those of each database, by its name.
	transactions map[string][][]database.Written
}

// recorded has people check out for a while in a shop that writes down what it writes.
func (s *stand) recorded(ctx context.Context) (*recorded, *market, error) {
	program := *s
	recorder := *s.config
	recorder.agora = filepath.Join(s.folder, "agora-record")
	program.config = &recorder
	build := exec.CommandContext(ctx, "go", "build", "-tags", "record", "-o", recorder.agora, "github.com/agora-supergraph/agora/tools/agora")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("build a shop that writes down what it writes: %w\n%s", err, out)
	}
	p, err := program.open()
	if err != nil {
		return nil, nil, err
	}
	m, err := openMarket(ctx, p.url, paceUnits, paceClients)
	if err != nil {
		p.interrupt()
		return nil, nil, err
	}
	m.checkouts(ctx, s.length/4)
	wait(ctx, afterwards) // what opening the market has led to is no part of a checkout
	all := &recorded{folder: filepath.Join(s.folder, "before"), transactions: map[string][][]database.Written{}}
	p.interrupt()
	if err := copyDatabases(s.data[1], all.folder); err != nil {
		return nil, nil, err
	}
	writes := filepath.Join(s.folder, "writes")
	if err := os.Mkdir(writes, 0o755); err != nil {
		return nil, nil, err
	}
	if p, err = program.open("AGORA_RECORD=" + writes); err != nil {
		return nil, nil, err
	}
	m.moveTo(p.url)
	all.checkouts, _ = m.checkouts(ctx, s.length)
	wait(ctx, afterwards)
	p.interrupt()
	if all.checkouts == 0 {
		return nil, nil, errors.New("nobody has checked out")
	}
	for _, service := range services {
		if all.transactions[service], err = readWrites(filepath.Join(writes, service+".writes")); err != nil {
			return nil, nil, err
		}
	}
	return all, m, nil
}

// String says what a checkout wrote.
func (r *recorded) String() string {
	var transactions, statements int
	for _, list := range r.transactions {
		transactions += len(list)
		for _, one := range list {
			statements += len(one)
		}
	}
	per := func(n int) float64 { return float64(n) / float64(r.checkouts) }
	return fmt.Sprintf("%.1f transactions of %.1f statements", per(transactions), per(statements))
}

// again writes everything again in a folder, and says how long that took.
func (r *recorded) again(ctx context.Context, folder string) (time.Duration, error) {
	if err := copyDatabases(r.folder, folder); err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	var g errgroup.Group
	begun := time.Now()
	for name, list := range r.transactions {
		g.Go(func() error {
			db, err := database.Connect("sqlite:" + filepath.Join(folder, name+".db"))
			if err != nil {
				return err
			}
			defer db.Close()
			for _, one := range list {
				if err := db.Tx(ctx, func(tx *database.Tx) error { return writeAgain(ctx, tx, one) }); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return time.Since(begun), err
}

func writeAgain(ctx context.Context, tx *database.Tx, list []database.Written) error {
	for _, w := range list {
		args := make([]any, len(w.Args))
		for i, a := range w.Args {
			args[i] = a.Value
		}
		if _, err := tx.ExecContext(ctx, w.Statement, args...); err != nil {
			return fmt.Errorf("%s: %w", w.Statement, err)
		}
	}
	return nil
}

func readWrites(file string) (list [][]database.Written, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for decoder := gob.NewDecoder(f); ; {
		var one []database.Written
		if err := decoder.Decode(&one); err != nil {
			if errors.Is(err, io.EOF) {
				return list, nil
			}
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		list = append(list, one)
	}
}

// copyDatabases copies the databases of a shop that is closed.
func copyDatabases(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, service := range services {
		for _, file := range []string{service + ".db", service + ".db-wal"} {
			raw, err := os.ReadFile(filepath.Join(from, file))
			if errors.Is(err, os.ErrNotExist) {
				continue // all of the log is in the database
			}
			if err := errors.Join(err, os.WriteFile(filepath.Join(to, file), raw, 0o600)); err != nil {
				return err
			}
		}
	}
	return nil
}
