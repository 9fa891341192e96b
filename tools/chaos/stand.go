package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// stand is a shop in one process that can be killed and opened again: a program, and where its data is.
type stand struct {
	*config
	// data are the arguments of dev, and books those of audit, that say where the data is.
	data, books []string
	// databases are those of Postgres, if the data is there.
	databases []string
}

// engines are the databases that a campaign runs on.
func (cfg *config) engineNames() []string { return strings.Split(cfg.engines, ",") }

// newStand makes room for a shop: a folder for SQLite, or databases of Postgres.
func (cfg *config) newStand(ctx context.Context, engine, name string) (*stand, error) {
	folder := filepath.Join(cfg.folder, name+"-"+engine)
	switch engine {
	case "sqlite":
		return &stand{config: cfg, data: []string{"--data", folder}, books: []string{"--data", folder}}, nil
	case "postgres":
	default:
		return nil, fmt.Errorf("--engines: there is no engine %q, but sqlite and postgres", engine)
	}
	s := &stand{config: cfg}
	prefix := "chaos_" + strings.ToLower(rand.Text()[:8])
	file := filepath.Join(folder, "services.yaml")
	text := fmt.Sprintf("installation: %s\nsecret: %s\nwebhooks: {private: true}\nservices:\n", prefix, rand.Text()+rand.Text())
	for _, service := range services {
		url := cfg.postgresURL(prefix + "_" + service)
		if service != "provider" {
			text += fmt.Sprintf("  %s: {database: %q}\n", service, url)
		}
		s.databases = append(s.databases, prefix+"_"+service)
		s.books = append(s.books, "--database", service+"="+url)
	}
	text += fmt.Sprintf("provider: {database: %q}\n", cfg.postgresURL(prefix+"_provider"))
	s.data = []string{"--config", file}
	err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(file, []byte(text), 0o600))
	for _, name := range s.databases {
		err = cmp.Or(err, cfg.onPostgres(ctx, `CREATE DATABASE "`+name+`"`))
	}
	if err != nil {
		s.close(ctx)
		return nil, fmt.Errorf("databases at %s (--engines sqlite goes without): %w", cfg.postgres, err)
	}
	return s, nil
}

func (cfg *config) postgresURL(database string) string {
	return "postgres://postgres@" + cfg.postgres + "/" + database + "?sslmode=disable"
}

func (cfg *config) onPostgres(ctx context.Context, statement string) error {
	server, err := sql.Open("postgres", cfg.postgresURL("postgres"))
	if err != nil {
		return err
	}
	defer server.Close()
	_, err = server.ExecContext(ctx, statement)
	return err
}

// open starts the shop. env are settings such as "AGORA_FAULTS=…".
func (s *stand) open(env ...string) (*program, error) {
	return launch(env, append([]string{s.agora, "dev", "--listen", "127.0.0.1:0", "--log", "error"}, s.data...)...)
}

// audit waits until all books agree, and says how long that took.
func (s *stand) audit(ctx context.Context) (time.Duration, error) {
	return s.config.audit(ctx, s.books...)
}

// close removes what is not in the folder.
func (s *stand) close(ctx context.Context) {
	for _, name := range s.databases {
		if err := s.onPostgres(context.WithoutCancel(ctx), `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`); err != nil {
			fmt.Fprintln(os.Stderr, "chaos:", err)
		}
	}
}

// audit waits until all books agree, and says how long that took.
func (cfg *config) audit(ctx context.Context, args ...string) (time.Duration, error) {
	begun := time.Now()
	for {
		out, err := exec.CommandContext(ctx, cfg.agora, append([]string{"audit"}, args...)...).CombinedOutput()
		if err == nil {
			return time.Since(begun), nil
		}
		if ctx.Err() != nil || time.Since(begun) > settleTimeout {
			return time.Since(begun), fmt.Errorf("audit: %w: %s", err, out)
		}
	}
}

// dev starts a shop on a data folder.
func (cfg *config) dev(folder string, env ...string) (*program, error) {
	return launch(env, cfg.agora, "dev", "--listen", "127.0.0.1:0", "--data", folder, "--log", "error")
}
