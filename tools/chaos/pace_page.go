package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// pagePatience is how long after its first answer a page is in every cache on the way.
const pagePatience = 2 * time.Second

// pacePages asks for product pages that are in the caches: of a shop in one process, and of routers and services in processes
// of their own, one and two of each. It fails if the services ask a database for one of them.
func pacePages(ctx context.Context, cfg *config) (string, error) {
	s, err := cfg.newStand(ctx, "sqlite", "page")
	if err != nil {
		return "", err
	}
	p, err := s.open()
	if err != nil {
		return "", err
	}
	alone, err := p.alonePages(ctx, s)
	p.interrupt()
	if err != nil {
		return "", err
	}
	lines := []string{fmt.Sprintf("one process: %v", alone)}
	for _, replicas := range []int{1, 2} {
		apart, err := cfg.clusterPages(ctx, replicas)
		if err != nil {
			return strings.Join(lines, "\n"), err
		}
		lines = append(lines, fmt.Sprintf("%d of each router and service: %v, %.2f as many as in one process", replicas, apart, apart.rate/alone.rate))
		if len(apart.scans) > 0 {
			return strings.Join(lines, "\n"), fmt.Errorf("looked at for pages that are in the caches: %v", apart.scans)
		}
	}
	return strings.Join(lines, "\n"), nil
}

// alonePages asks for pages of the shop in one process.
func (p *program) alonePages(ctx context.Context, s *stand) (paged, error) {
	if err := s.told(ctx); err != nil {
		return paged{}, err
	}
	slugs, err := p.slugs(ctx)
	if err != nil {
		return paged{}, err
	}
	if _, err := p.pages(ctx, slugs, s.length/4); err != nil {
		return paged{}, err
	}
	return p.pages(ctx, slugs, s.length)
}

// paged is how many pages a second there were, the processor time that routers and services took for each, without the stores,
// and how often tables were looked at that a page is made of.
type paged struct {
	rate    float64
	perPage time.Duration
	scans   map[string]int
}

// String is the figures in words.
func (p paged) String() string {
	return fmt.Sprintf("%.0f pages/s, %.2f ms of processor time each", p.rate, milliseconds(p.perPage))
}

// clusterPages asks for pages of a cluster.
func (cfg *config) clusterPages(ctx context.Context, replicas int) (paged, error) {
	c, err := cfg.startCluster(ctx, replicas)
	if err != nil {
		return paged{}, err
	}
	defer c.close()
	db, err := sql.Open("postgres", "postgres://postgres@"+c.postgres.at+"/postgres?sslmode=disable")
	if err != nil {
		return paged{}, err
	}
	defer db.Close()
	if err := quiet(ctx, db); err != nil {
		return paged{}, err
	}
	slugs, err := c.slugs(ctx)
	if err != nil {
		return paged{}, err
	}
	if _, err := c.pages(ctx, slugs, cfg.length/4); err != nil { // they are in the caches of all replicas
		return paged{}, err
	}
	before, err := c.scans(ctx)
	begun := time.Now()
	if err != nil {
		return paged{}, err
	}
	all, err := c.pages(ctx, slugs, cfg.length)
	after, failed := c.scans(ctx)
	all.scans = map[string]int{}
	for table, n := range after {
		// Each replica looks for prices that are due, every second, whoever asks for what.
		if n-before[table] > replicas*(int(time.Since(begun).Seconds())+1) {
			all.scans[table] = n - before[table]
		}
	}
	return all, errors.Join(err, failed)
}

// scans is how often somebody has looked at the tables that pages are made of.
func (c *cluster) scans(ctx context.Context) (map[string]int, error) {
	wait(ctx, statisticsLag)
	all := map[string]int{}
	for _, service := range []string{"products", "inventory"} {
		db, err := sqlx.Open("postgres", "postgres://postgres@"+c.postgres.at+"/chaos_"+service+"?sslmode=disable")
		if err != nil {
			return nil, err
		}
		var tables []struct {
			Name  string
			Scans int
		}
		err = db.SelectContext(ctx, &tables, `
			SELECT relname AS name, seq_scan + COALESCE(idx_scan, 0) AS scans FROM pg_stat_user_tables
			WHERE relname IN ('product', 'product_slug', 'variant', 'list_price', 'stock')`)
		if err = errors.Join(err, db.Close()); err != nil {
			return nil, err
		}
		for _, t := range tables {
			all[t.Name] = t.Scans
		}
	}
	return all, nil
}

// slugs are those of a few products.
func (p *program) slugs(ctx context.Context) (slugs []string, err error) {
	data, err := client{url: p.url}.send(ctx, `{ products(query: "pot", first: 10) { edges { node { slug } } } }`, nil)
	for i := 0; text(data, fmt.Sprintf("products.edges.%d.node.slug", i)) != ""; i++ {
		slugs = append(slugs, text(data, fmt.Sprintf("products.edges.%d.node.slug", i)))
	}
	return slugs, err
}

// pages has as many people as order in pace look at the same few pages, over and over.
func (p *program) pages(ctx context.Context, slugs []string, length time.Duration) (paged, error) {
	buyer := client{url: p.url}
	look := func(ctx context.Context, length time.Duration) (n int64, err error) {
		ctx, stop := context.WithTimeout(ctx, length)
		defer stop()
		var seen atomic.Int64
		var failed atomic.Pointer[error]
		var people sync.WaitGroup
		for b := range paceClients {
			people.Go(func() {
				for i := b; ctx.Err() == nil; i++ {
					page, err := buyer.send(context.WithoutCancel(ctx), pageQuery, map[string]any{"product": slugs[i%len(slugs)]})
					if err == nil && text(page, "product.variants.0.availability.status") == "" {
						err = fmt.Errorf("a page is not whole: %v", page)
					}
					if err != nil {
						failed.Store(&err)
						return
					}
					seen.Add(1)
				}
			})
		}
		people.Wait()
		if first := failed.Load(); first != nil {
			err = *first
		}
		return seen.Load(), err
	}
	if _, err := look(ctx, pagePatience); err != nil {
		return paged{}, err
	}
	begun, before := time.Now(), processorTime(p.command.Process.Pid)
	n, err := look(ctx, length)
	if n == 0 {
		return paged{}, errors.Join(err, errors.New("there is no page"))
	}
	return paged{rate: float64(n) / time.Since(begun).Seconds(), perPage: (processorTime(p.command.Process.Pid) - before) / time.Duration(n)}, err
}

// processorTime is what a process and its children have had.
func processorTime(pid int) (all time.Duration) {
	for _, each := range append(childrenOf(pid), pid) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", each))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest) // from the third one on: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
		for _, field := range fields[11:13] {
			ticks, err := strconv.Atoi(field)
			if err == nil {
				all += time.Duration(ticks) * time.Second / ticksPerSecond
			}
		}
	}
	return all
}

// ticksPerSecond is the unit of /proc, the same on all machines that Go runs on.
const ticksPerSecond = 100
