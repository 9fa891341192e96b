package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// paceSingle is pace for the shop in one process on SQLite. Beside it the same is written to as many files, opened with the
// same settings, by as many at a time: as many transactions, each with its share of the statements.
func paceSingle(ctx context.Context, cfg *config) (string, error) {
	s, err := cfg.newStand(ctx, "sqlite", "pace")
	if err != nil {
		return "", err
	}
	sets, err := s.observed(ctx)
	if err != nil {
		return "", err
	}
	p, err := s.open()
	if err != nil {
		return "", err
	}
	defer p.interrupt()
	m, err := openMarket(ctx, p.url, paceUnits, paceClients)
	if err != nil {
		return "", err
	}
	r, err := openRaw(ctx, filepath.Join(cfg.folder, "raw"), sets)
	if err != nil {
		return "", err
	}
	defer r.close()
	m.checkouts(ctx, cfg.length/4) // caches and pools are warm
	var shop, raw float64
	for range paceRounds {
		n, took := m.checkouts(ctx, cfg.length)
		shop += float64(n) / took.Seconds() / paceRounds
		if n, took, err = r.run(ctx, cfg.length); err != nil {
			return "", err
		}
		raw += float64(n) / took.Seconds() / paceRounds
	}
	figures := fmt.Sprintf("%d buyers at a time: %.1f checkouts/s; the same writes alone, %v: %.1f/s; ratio %.2f", paceClients, shop, sets, raw, shop/raw)
	if shop/raw < 0.5 {
		return figures, errors.New("it is less than half of it")
	}
	return figures, nil
}

// share is what one checkout writes to one database, on average: transactions that write anything, and the statements of
// all of them.
type share struct{ transactions, inserts, updates, deletes float64 }

// shares are by database.
type shares map[string]share

// String is the sum of it.
func (all shares) String() string {
	var sum share
	for _, s := range all {
		sum = share{sum.transactions + s.transactions, sum.inserts + s.inserts, sum.updates + s.updates, sum.deletes + s.deletes}
	}
	return fmt.Sprintf("%.1f transactions with %.1f inserts, %.1f updates, %.1f deletes in %d files", sum.transactions, sum.inserts, sum.updates, sum.deletes, len(all))
}

// observed has people check out for a while in a shop that is watched, and says what a checkout writes.
func (s *stand) observed(ctx context.Context) (shares, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := s.open("AGORA_METRICS=" + local(port))
	if err != nil {
		return nil, err
	}
	defer p.interrupt()
	m, err := openMarket(ctx, p.url, paceUnits, paceClients)
	if err != nil {
		return nil, err
	}
	m.checkouts(ctx, s.length/4)
	wait(ctx, afterwards) // what opening the market has led to is no part of a checkout
	before, err := s.written(ctx, local(port))
	if err != nil {
		return nil, err
	}
	n, _ := m.checkouts(ctx, s.length)
	wait(ctx, afterwards)
	after, err := s.written(ctx, local(port))
	if err != nil || n == 0 {
		return nil, errors.Join(err, fmt.Errorf("%d checkouts", n))
	}
	all := shares{}
	for _, service := range services {
		b, a := before[service], after[service]
		per := func(then, now float64) float64 { return (now - then) / float64(n) }
		all[service] = share{per(b.transactions, a.transactions), per(b.inserts, a.inserts), per(b.updates, a.updates), per(b.deletes, a.deletes)}
	}
	return all, nil
}

// afterwards is how long events go on behind the answers.
const afterwards = 5 * time.Second

// statement is a line of the services' metrics that counts statements.
var statement = regexp.MustCompile(`(?m)^database_statement_duration_seconds_count\{database="(\w+)",outcome="\w+",verb="(insert|update|delete)"\} (\d+)`)

// written is what has been written to each database so far.
func (s *stand) written(ctx context.Context, metrics string) (shares, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+metrics+"/services/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := browser.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	all := shares{}
	for _, service := range services {
		n, err := commits(filepath.Join(s.data[1], service+".db"))
		if err != nil {
			return nil, err
		}
		all[service] = share{transactions: float64(n)}
	}
	for _, line := range statement.FindAllStringSubmatch(string(text), -1) {
		n, _ := strconv.ParseFloat(line[3], 64)
		sum := all[line[1]]
		*map[string]*float64{"insert": &sum.inserts, "update": &sum.updates, "delete": &sum.deletes}[line[2]] += n
		all[line[1]] = sum
	}
	return all, nil
}

// commits is how many transactions have written to a database since its log's index was made: the counter in the index's
// header (https://www.sqlite.org/walformat.html#the_wal_index_header).
func commits(file string) (uint32, error) {
	index, err := os.Open(file + "-shm")
	if err != nil {
		return 0, err
	}
	defer index.Close()
	counter := make([]byte, 4)
	if _, err := index.ReadAt(counter, 8); err != nil {
		return 0, fmt.Errorf("read %s: %w", index.Name(), err)
	}
	return binary.NativeEndian.Uint32(counter), nil
}

// raw writes what checkouts write, and nothing else.
type raw struct {
	names []string
	files map[string]*database.DB
	sets  shares
	done  atomic.Int64
}

// rawTables are like those of pgbench's run.
const rawTables = `-- +goose Up
CREATE TABLE fact (id INTEGER PRIMARY KEY, subject BIGINT NOT NULL, body TEXT NOT NULL);
CREATE INDEX fact_subject ON fact (subject);
CREATE TABLE state (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, body TEXT NOT NULL);
INSERT INTO state WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i, 0, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM n;
`

// rawStates is how many rows there are to be updated.
const rawStates = 100_000

func openRaw(ctx context.Context, folder string, sets shares) (*raw, error) {
	r := &raw{files: map[string]*database.DB{}, sets: sets}
	tables := fs.FS(fstest.MapFS{"0100_raw.sql": {Data: []byte(rawTables)}})
	for _, name := range services {
		db, err := database.Open(ctx, "sqlite:"+filepath.Join(folder, name+".db"), tables)
		if err != nil {
			r.close()
			return nil, err
		}
		r.names, r.files[name] = append(r.names, name), db
	}
	return r, nil
}

func (r *raw) close() {
	for _, db := range r.files {
		db.Close()
	}
}

// run writes what as many checkouts as possible write in a time, and says how many that were.
func (r *raw) run(ctx context.Context, length time.Duration) (n int, took time.Duration, err error) {
	ctx, stop := context.WithTimeout(ctx, length)
	defer stop()
	begun, before := time.Now(), r.done.Load()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range paceClients {
		wg.Go(func() {
			for ctx.Err() == nil {
				k := r.done.Add(1)
				if failed := r.checkout(context.WithoutCancel(ctx), float64(k)); failed != nil {
					mu.Lock()
					err = errors.Join(err, failed)
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return int(r.done.Load() - before), time.Since(begun), err
}

// checkout writes what the k-th one does: of what is not a whole number on average some write more and some less.
func (r *raw) checkout(ctx context.Context, k float64) error {
	for _, name := range r.names {
		whole := func(average float64) int { return int(average*k) - int(average*(k-1)) }
		s := r.sets[name]
		transactions, inserts, updates, deletes := whole(s.transactions), whole(s.inserts), whole(s.updates), whole(s.deletes)
		for i := range transactions {
			part := func(all int) int { return all*(i+1)/transactions - all*i/transactions }
			if err := r.files[name].Tx(ctx, func(tx *database.Tx) error { return write(ctx, tx, part(inserts), part(updates), part(deletes)) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// rawBody is what a row holds beside its keys.
var rawBody = strings.Repeat("x", 200)

func write(ctx context.Context, tx *database.Tx, inserts, updates, deletes int) error {
	subject := rand.Int64()
	exec := func(n int, statement string, args func() []any) error {
		for range n {
			if _, err := tx.ExecContext(ctx, statement, args()...); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.Join(
		exec(inserts, `INSERT INTO fact (subject, body) VALUES ($1, $2)`, func() []any { return []any{subject, rawBody} }),
		exec(updates, `UPDATE state SET version = version + 1 WHERE id = $1`, func() []any { return []any{1 + rand.IntN(rawStates)} }),
		exec(deletes, `DELETE FROM fact WHERE id = (SELECT MIN(id) FROM fact WHERE subject = $1)`, func() []any { return []any{subject} }),
	)
}
