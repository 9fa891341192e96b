package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// waited is what a move says of its switch.
var waited = regexp.MustCompile(`writes have waited for (\S+)`)

// extractions moves the data of one service after the other out of a shop in one process while people order, and back;
// moves are killed at random, and go on.
func extractions(ctx context.Context, cfg *config) (figures string, err error) {
	postgres, err := openPostgres()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, postgres.end()) }()
	folder := filepath.Join(cfg.folder, "extract")
	p, err := cfg.dev(folder)
	if err != nil {
		return "", err
	}
	defer p.kill()
	c := &cluster{program: p, config: cfg, folder: folder, postgres: postgres}
	return c.endure(ctx, c.moveAll, "--data", folder)
}

// moveAll moves all services out, and back; in a short campaign one of them.
func (c *cluster) moveAll(ctx context.Context) (string, error) {
	server, err := sql.Open("postgres", "postgres://postgres@"+c.postgres.at+"/postgres?sslmode=disable")
	if err != nil {
		return "", err
	}
	defer server.Close()
	moves, killed := 0, 0
	var longest time.Duration
	one := func(service string, how ...string) error {
		wait(ctx, c.pulse(3*time.Second))
		c.watch.breaks(service)
		defer c.watch.breaks()
		for {
			pause, err := c.move(ctx, append([]string{"extract", service, "--data", c.folder}, how...))
			if errors.Is(err, errKilled) {
				killed++
				continue
			}
			moves++
			longest = max(longest, pause)
			wait(ctx, time.Second) // the shop opens the other database
			return err
		}
	}
	moved := services
	if c.length < shortCampaign {
		moved = services[c.random.IntN(len(services)):][:1]
	}
	for _, service := range moved {
		if _, err := server.ExecContext(ctx, `CREATE DATABASE "`+service+`"`); err != nil {
			return "", err
		}
		if err := one(service, "--to", "postgres://postgres@"+c.postgres.at+"/"+service+"?sslmode=disable"); err != nil {
			return "", err
		}
	}
	for _, service := range moved {
		if err := one(service, "--back"); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d moves of %d services, killed %d times, writes waited for %v at most", moves, len(moved), killed, longest), nil
}

// shortCampaign is how long a campaign must be at least for all services to be moved.
const shortCampaign = 30 * time.Second

// errKilled is that of a move that was killed on the way.
var errKilled = errors.New("killed")

// move carries out a move, and kills every second one at a random moment.
func (c *cluster) move(ctx context.Context, args []string) (pause time.Duration, err error) {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if c.random.IntN(2) == 0 {
		limited, cancel = context.WithTimeout(ctx, time.Duration(c.random.Int64N(int64(2*time.Second))))
	}
	defer cancel()
	cmd := exec.CommandContext(limited, c.agora, args...)
	out, err := cmd.CombinedOutput()
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return 0, errKilled
	}
	if err != nil {
		return 0, fmt.Errorf("%v: %w\n%s", args, err, out)
	}
	if found := waited.FindSubmatch(out); found != nil {
		pause, err = time.ParseDuration(string(found[1]))
	}
	return pause, err
}
