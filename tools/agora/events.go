package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
)

// eventFlags are those of the commands under agora events.
type eventFlags struct {
	config, data          string
	service, consumer, id string
	since                 string
}

// events looks after the events of services, running or not: agora events replay|dead list|dead retry.
func events(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	words, rest := leading(args)
	var f eventFlags
	flags := flag.NewFlagSet("events", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&f.config, "config", "", "the services' configuration `file`")
	flags.StringVar(&f.data, "data", "data", "`folder` of the databases, where there is no such file")
	flags.StringVar(&f.service, "service", "", "only the dead letters of this service; with --consumer, the service `NAME` of the consumer")
	flags.StringVar(&f.consumer, "consumer", "", "`name` of a consumer, such as inventory.catalogue: with replay, it forgets what it has heard of the source")
	flags.StringVar(&f.id, "event", "", "only the dead letter of the event with this `id`")
	flags.StringVar(&f.since, "since", "", "only events since this `time`, such as 2026-11-01T00:00:00Z")
	if err := parse(flags, rest); err != nil {
		return err
	}
	stores, err := f.stores()
	if err != nil {
		return err
	}
	switch command := strings.Join(words, " "); {
	case command == "dead list":
		return f.listDead(ctx, stores, out)
	case command == "dead retry":
		return f.retryDead(ctx, stores, out)
	case len(words) == 2 && words[0] == "replay":
		return f.replay(ctx, stores, words[1], out)
	}
	return errors.New("events: want dead list, dead retry or replay SERVICE")
}

// stores are the databases' URLs, by service.
func (f eventFlags) stores() (map[string]string, error) {
	cfg, err := readFolder(f.data, nil)
	if f.config != "" {
		cfg, err = readSettings(f.config)
	}
	if err != nil {
		return nil, err
	}
	urls := map[string]string{}
	for name := range sources {
		if url := cfg.Services.byName(name).Database; url != "" {
			urls[name] = cfg.database(name, url)
		}
	}
	return urls, nil
}

// letter is a dead letter of a service.
type letter struct {
	service string
	event.DeadLetter
}

// dead are the dead letters that the flags ask for.
func (f eventFlags) dead(ctx context.Context, stores map[string]string) ([]letter, error) {
	var all []letter
	for _, name := range names(stores) {
		if f.service != "" && f.service != name {
			continue
		}
		db, err := database.View(stores[name])
		if err != nil {
			return nil, err
		}
		letters, err := event.DeadLetters(ctx, db.Read)
		if err = errors.Join(err, db.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, l := range letters {
			if (f.consumer == "" || f.consumer == l.Consumer) && (f.id == "" || f.id == l.ID) {
				all = append(all, letter{name, l})
			}
		}
	}
	return all, nil
}

func (f eventFlags) listDead(ctx context.Context, stores map[string]string, out io.Writer) error {
	letters, err := f.dead(ctx, stores)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range letters {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s %d\t%s\n", l.At.Format(time.RFC3339), l.Consumer, l.ID, l.Type, l.Subject, l.Sequence, l.Reason)
	}
	return table.Flush()
}

// retryDead has dead letters tried once more by the running services.
func (f eventFlags) retryDead(ctx context.Context, stores map[string]string, out io.Writer) error {
	letters, err := f.dead(ctx, stores)
	if err != nil {
		return err
	}
	for _, name := range names(stores) {
		var own []event.DeadLetter
		for _, l := range letters {
			if l.service == name {
				own = append(own, l.DeadLetter)
			}
		}
		if len(own) == 0 {
			continue
		}
		err := withDatabase(stores[name], func(db *database.DB) error { return event.Revive(ctx, db, own...) })
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Fprintf(out, "%d events are tried again as soon as their services run\n", len(letters))
	return nil
}

// replay has a service's events published again. A consumer that is named takes them as if it had never heard of them;
// all others drop what they know.
func (f eventFlags) replay(ctx context.Context, stores map[string]string, name string, out io.Writer) error {
	if stores[name] == "" {
		return fmt.Errorf("events: there is no database of a service %q, but of %s", name, strings.Join(names(stores), ", "))
	}
	since := time.Time{}
	if f.since != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, f.since); err != nil {
			return fmt.Errorf("events: --since: %w", err)
		}
	}
	if f.consumer != "" {
		service, _, _ := strings.Cut(f.consumer, ".")
		if f.service != "" {
			service = f.service
		}
		if !slices.Contains(names(stores), service) {
			return fmt.Errorf("events: which service does the consumer %s belong to? Say so by --service", f.consumer)
		}
		err := withDatabase(stores[service], func(db *database.DB) error { return event.Forget(ctx, db, f.consumer, sources[name]) })
		if err != nil {
			return err
		}
	}
	return withDatabase(stores[name], func(db *database.DB) error {
		n, err := event.Replay(ctx, db, since)
		if err == nil {
			fmt.Fprintf(out, "%d events of %s are published again as soon as it runs\n", n, name)
		}
		return err
	})
}

// withDatabase connects to a database as it is, for a moment.
func withDatabase(url string, do func(db *database.DB) error) error {
	db, err := database.Connect(url)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}
