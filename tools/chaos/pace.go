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
// and how often the shop and its databases alone take turns. A cluster takes most orders where more wait, since what waits together
// is written together; pgbench is quickest with as many connections as a shop in one process has people.
const (
	paceClients = 32
	paceCrowd   = 96
	paceRounds  = 3
	paceUnits   = 1_000_000
)

// pace has people check out through routers and services, and pgbench write what that writes to the same server, in turns.
func pace(ctx context.Context, cfg *config) (string, error) {
	c, err := cfg.startCluster(ctx, 1)
	if err != nil {
		return "", err
	}
	defer c.close()
	m, err := openMarket(ctx, c.url, paceUnits, paceCrowd)
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
	set, err := c.recordWrites(ctx, db, m)
	if err != nil {
		return "", err
	}
	var shop, bench float64
	for range paceRounds {
		n, took := m.checkouts(ctx, cfg.length)
		if n == 0 {
			return "", fmt.Errorf("%d checkouts in %v", n, took)
		}
		shop += float64(n) / took.Seconds() / paceRounds
		if err := quiet(ctx, db); err != nil {
			return "", err
		}
		tps, err := cfg.pgbench(ctx, c.postgres.at, set)
		if err != nil {
			return "", err
		}
		bench += tps / paceRounds
	}
	figures := fmt.Sprintf("%d buyers at a time: %.1f checkouts/s; pgbench, %d at a time, %v: %.1f/s; ratio %.2f", paceCrowd, shop, paceClients, set, bench, shop/bench)
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
				if m.checkout(context.WithoutCancel(ctx), b, i) {
					confirmed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return int(confirmed.Load()), time.Since(begun)
}

// checkout has a buyer order one unit, and reports whether the order was confirmed.
func (m *market) checkout(ctx context.Context, b, i int) bool {
	input := m.input(b, fmt.Sprint("pace ", b, " ", time.Now().UnixNano()), i)
	input["i"].(map[string]any)["waitMs"] = 10_000
	data, err := m.as(ctx, b).send(ctx, orderQuery, input)
	return err == nil && text(data, "orderCreate.order.status") == "CONFIRMED"
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

// rate is what pgbench says at its end.
var rate = regexp.MustCompile(`tps = ([0-9.]+) \(without`)

// pgbench writes a set over and over, and returns how many checkouts a second that are.
func (cfg *config) pgbench(ctx context.Context, address string, set *writeSet) (float64, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return 0, err
	}
	host, port, _ := strings.Cut(address, ":")
	args := []string{
		"-h", host, "-p", port, "-U", "postgres", "-n", "-M", "prepared", "--max-tries", "10",
		"-c", strconv.Itoa(paceClients), "-j", "2", "-T", strconv.Itoa(max(1, int(cfg.length.Seconds()))),
	}
	for i, script := range set.scripts {
		file := filepath.Join(cfg.folder, fmt.Sprintf("pace%d.sql", i))
		if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
			return 0, err
		}
		args = append(args, "-f", file)
	}
	bench := exec.CommandContext(ctx, filepath.Join(bin, "pgbench"), append(args, "pace")...)
	out, err := bench.CombinedOutput()
	found := rate.FindSubmatch(out)
	if err != nil || found == nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
