package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// paces are not campaigns against anything: they say how fast the shop is beside what its databases alone could do, and with a
// large catalogue.
var paces = []campaign{{"checkout", pace}, {"single", paceSingle}, {"page", pacePages}, {"catalogue", paceCatalogue}}

// The size of a measurement: how many people order at a time, enough to keep two cores busy while each waits for the disk in turn,
// and how often the shop and its databases alone take turns.
const (
	paceClients = 32
	paceRounds  = 3
	paceUnits   = 1_000_000
)

// pace has people check out through routers and services, and pgbench write as much as that took to the same server, in
// turns: as many transactions, and as many rows inserted, updated and deleted in each.
func pace(ctx context.Context, cfg *config) (string, error) {
	c, err := cfg.startCluster(ctx, 1)
	if err != nil {
		return "", err
	}
	defer c.close()
	m, err := openMarket(ctx, c.url, paceUnits, paceClients)
	if err != nil {
		return "", err
	}
	db, err := sql.Open("postgres", "postgres://postgres@"+c.postgres.at+"/postgres?sslmode=disable")
	if err != nil {
		return "", err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `CREATE DATABASE pace`); err != nil {
		return "", err
	}
	if err := quiet(ctx, db); err != nil {
		return "", err
	}
	m.checkouts(ctx, cfg.length/4) // caches and pools are warm
	var shop, bench float64
	var set writes
	for range paceRounds {
		before, err := written(ctx, db, c.postgres.at)
		if err != nil {
			return "", err
		}
		n, took := m.checkouts(ctx, cfg.length)
		after, err := written(ctx, db, c.postgres.at)
		if err != nil || n == 0 {
			return "", errors.Join(err, fmt.Errorf("%d checkouts in %v", n, took))
		}
		set = after.since(before, n)
		shop += float64(n) / took.Seconds() / paceRounds
		tps, err := cfg.pgbench(ctx, c.postgres.at, set)
		if err != nil {
			return "", err
		}
		bench += tps / paceRounds
	}
	figures := fmt.Sprintf("%d buyers at a time: %.1f checkouts/s; pgbench, %v: %.1f/s; ratio %.2f", paceClients, shop, set, bench, shop/bench)
	if shop/bench < 0.5 {
		return figures, errors.New("it is less than half of it")
	}
	return figures, nil
}

// checkouts counts the orders that all buyers together have confirmed in a time.
func (m *market) checkouts(ctx context.Context, length time.Duration) (n int, took time.Duration) {
	ctx, stop := context.WithTimeout(ctx, length)
	defer stop()
	var confirmed atomic.Int64
	begun := time.Now()
	var wg sync.WaitGroup
	for b := range m.buyers {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				input := m.input(b, fmt.Sprint("pace ", b, " ", time.Now().UnixNano()), i)
				input["i"].(map[string]any)["waitMs"] = 10_000
				data, err := m.as(ctx, b).send(context.WithoutCancel(ctx), orderQuery, input)
				if err == nil && text(data, "orderCreate.order.status") == "CONFIRMED" {
					confirmed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return int(confirmed.Load()), time.Since(begun)
}

// writes is what was written: transactions that wrote anything, rows, and bytes of the log.
type writes struct{ transactions, inserted, updated, deleted, log int }

// String is the write set in words.
func (w writes) String() string {
	return fmt.Sprintf("the same %d transactions with %d rows inserted, %d updated, %d deleted (%d KB of WAL)", w.transactions, w.inserted, w.updated, w.deleted, w.log/1024)
}

// since is what one of n was since another moment.
func (w writes) since(before writes, n int) writes {
	per := func(now, then int) int { return (now - then + n/2) / n }
	return writes{
		max(1, per(w.transactions, before.transactions)), per(w.inserted, before.inserted), per(w.updated, before.updated),
		per(w.deleted, before.deleted), per(w.log, before.log),
	}
}

// statisticsLag is after what time connections that were busy, and are not any more, have told the server the last of what they
// did.
const statisticsLag = 11 * time.Second

// quietPatience is how long a shop may take until nobody writes any more.
const quietPatience = 5 * time.Minute

// quiet waits until nobody writes: all services have heard of what the shop began with.
func quiet(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithTimeoutCause(ctx, quietPatience, errors.New("the shop does not come to rest"))
	defer cancel()
	for before := -1; ; {
		var now int
		if err := db.QueryRowContext(ctx, `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).Scan(&now); err != nil {
			return err
		}
		if before >= 0 && now-before < 5 {
			return nil
		}
		before = now
		if !wait(ctx, time.Second) {
			return context.Cause(ctx)
		}
	}
}

// written is what the services have written so far.
func written(ctx context.Context, db *sql.DB, address string) (w writes, err error) {
	wait(ctx, statisticsLag)
	err = db.QueryRowContext(ctx, `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_wal_lsn() - '0/0'`).Scan(&w.transactions, &w.log)
	for _, service := range services {
		if err != nil {
			return w, err
		}
		var i, u, d int
		err = func() error {
			own, err := sql.Open("postgres", "postgres://postgres@"+address+"/chaos_"+service+"?sslmode=disable")
			if err != nil {
				return err
			}
			defer own.Close()
			return own.QueryRowContext(ctx, `SELECT SUM(n_tup_ins), SUM(n_tup_upd), SUM(n_tup_del) FROM pg_stat_user_tables`).Scan(&i, &u, &d)
		}()
		w.inserted, w.updated, w.deleted = w.inserted+i, w.updated+u, w.deleted+d
	}
	return w, err
}

// rate is what pgbench says at its end.
var rate = regexp.MustCompile(`tps = ([0-9.]+) \(without`)

// pgbench writes a set over and over, as many at a time as there were buyers, and returns how many a second.
func (cfg *config) pgbench(ctx context.Context, address string, set writes) (float64, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return 0, err
	}
	db, err := sql.Open("postgres", "postgres://postgres@"+address+"/pace?sslmode=disable")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	for _, statement := range []string{
		`DROP TABLE IF EXISTS fact, state`,
		`CREATE TABLE fact (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject TEXT NOT NULL, body TEXT NOT NULL)`,
		`CREATE INDEX fact_subject ON fact (subject)`,
		`CREATE TABLE state (id INT PRIMARY KEY, version BIGINT NOT NULL, body TEXT NOT NULL)`,
		`INSERT INTO state SELECT n, 0, REPEAT('x', 200) FROM generate_series(1, 100000) n`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return 0, err
		}
	}
	script := filepath.Join(cfg.folder, "pace.sql")
	if err := os.WriteFile(script, []byte(set.script()), 0o644); err != nil {
		return 0, err
	}
	host, port, _ := strings.Cut(address, ":")
	bench := exec.CommandContext(ctx, filepath.Join(bin, "pgbench"), "-h", host, "-p", port, "-U", "postgres", "-n", "-M", "prepared", "--max-tries", "10",
		"-c", strconv.Itoa(paceClients), "-j", "2", "-T", strconv.Itoa(max(1, int(cfg.length.Seconds()))), "-f", script, "pace")
	out, err := bench.CombinedOutput()
	found := rate.FindSubmatch(out)
	if err != nil || found == nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// script is a pgbench script that writes the set.
func (w writes) script() string {
	var b strings.Builder
	b.WriteString("\\set subject random(1, 1000000000)\n")
	share := func(all, i int) int { return all*(i+1)/w.transactions - all*i/w.transactions }
	for i := range w.transactions {
		b.WriteString("BEGIN;\n")
		for range share(w.inserted, i) {
			b.WriteString("INSERT INTO fact (subject, body) VALUES (:subject, REPEAT('x', 200));\n")
		}
		for range share(w.updated, i) {
			b.WriteString("\\set id random(1, 100000)\nUPDATE state SET version = version + 1 WHERE id = :id;\n")
		}
		for range share(w.deleted, i) {
			b.WriteString("DELETE FROM fact WHERE id = (SELECT MIN(id) FROM fact WHERE subject = :subject);\n")
		}
		b.WriteString("COMMIT;\n")
	}
	return b.String()
}
