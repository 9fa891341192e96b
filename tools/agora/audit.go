package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/subgraphs/inventory"
	"github.com/agora-supergraph/agora/subgraphs/orders"
	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/sandbox"
	"github.com/agora-supergraph/agora/subgraphs/products"
	"github.com/agora-supergraph/agora/subgraphs/users"
)

// stores are the databases that an audit reads, by service: "provider" is the sandbox provider's own, which is not there where the
// provider is another one.
type stores map[string]*database.DB

// audited are the services whose books are compared.
var audited = []string{"users", "products", "inventory", "orders", "payments", "provider"}

// audit compares the books of all services, whether they are running or not. What is broken it says on out, a sentence
// each; then it fails.
func audit(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	data := flags.String("data", "data", "`folder` of the databases")
	file := flags.String("config", "", "the services' configuration `file`: the databases that it names, and not a folder's")
	urls := map[string]string{}
	flags.Func("database", "`NAME=URL` of a service's database that is elsewhere; may be repeated", func(value string) error {
		name, url, ok := strings.Cut(value, "=")
		if !ok || !slices.Contains(audited, name) {
			return fmt.Errorf("want NAME=URL, with NAME one of %s", strings.Join(audited, ", "))
		}
		urls[name] = url
		return nil
	})
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := readFolder(*data, nil)
	if *file != "" {
		cfg, err = readSettings(*file)
	}
	if err != nil {
		return err
	}
	open := stores{}
	defer open.close()
	for _, name := range audited {
		url := cmp.Or(urls[name], cfg.databaseOf(name))
		switch {
		case url == "" && name == "provider":
			continue // somebody else's, such as Stripe
		case url == "":
			return fmt.Errorf("audit: no database of %s: name it in %s, or by --database %s=URL", name, *file, name)
		}
		db, err := database.View(url)
		if err != nil {
			return err
		}
		open[name] = db
	}
	return open.report(ctx, out)
}

// confirmations is how often something has to be found broken, and confirmPause the time between: what is under way
// just now is no fault.
const (
	confirmations = 3
	confirmPause  = 500 * time.Millisecond
)

// report says what is broken for longer than a moment.
func (s stores) report(ctx context.Context, out io.Writer) error {
	broken, summary, err := s.audit(ctx)
	for range confirmations - 1 {
		if err != nil || len(broken) == 0 {
			break
		}
		select {
		case <-time.After(confirmPause):
		case <-ctx.Done():
			return ctx.Err()
		}
		var again []string
		again, summary, err = s.audit(ctx)
		broken = slices.DeleteFunc(broken, func(sentence string) bool { return !slices.Contains(again, sentence) })
	}
	if err != nil {
		return err
	}
	for _, sentence := range broken {
		fmt.Fprintln(out, sentence)
	}
	if len(broken) > 0 {
		return fmt.Errorf("audit: %d things are broken", len(broken))
	}
	fmt.Fprintln(out, summary)
	return nil
}

// books are what all services say at about the same time.
type books struct {
	// before and after are what orders says, before the others are asked and behind it: only an order that is the same
	// in both can be compared with the others.
	before, after orders.Audit
	inventory     inventory.Audit
	payments      []payments.Balance
	provider      []payments.Balance
	unresolved    int
}

// audit compares all books once. It returns what is broken and a summary.
func (s stores) audit(ctx context.Context) (broken []string, summary string, err error) {
	b, err := s.read(ctx)
	if err != nil {
		return nil, "", err
	}
	broken = slices.Concat(b.after.Broken, b.inventory.Broken, b.compareStock(), b.compareMoney())
	heard, err := s.compareEvents(ctx)
	if err != nil {
		return nil, "", err
	}
	summary = fmt.Sprintf("all books agree: %d orders at rest, %d under way, %d waiting for their buyers, %d operations at the provider unresolved",
		len(b.after.Orders), len(b.after.Unsettled), len(b.after.Waiting), b.unresolved)
	if s["provider"] == nil {
		summary += "; the provider's own book was not compared: its database is not given"
	}
	return append(broken, heard...), summary, nil
}

func (s stores) read(ctx context.Context) (b books, err error) {
	own := orders.View(s["orders"])
	ledger := payments.View(s["payments"])
	return b, errors.Join(
		read(&b.before, func() (orders.Audit, error) { return own.Audit(ctx) }),
		read(&b.inventory, func() (inventory.Audit, error) { return inventory.View(s["inventory"]).Audit(ctx) }),
		read(&b.payments, func() ([]payments.Balance, error) { return ledger.Balances(ctx) }),
		read(&b.unresolved, func() (int, error) { return ledger.Unresolved(ctx) }),
		read(&b.provider, func() ([]payments.Balance, error) {
			if s["provider"] == nil {
				return b.payments, nil // what it says is not known
			}
			return sandbox.View(s["provider"]).Book(ctx)
		}),
		read(&b.after, func() (orders.Audit, error) { return own.Audit(ctx) }),
	)
}

func read[T any](into *T, from func() (T, error)) (err error) {
	*into, err = from()
	return err
}

func (s stores) close() {
	for _, db := range s {
		db.Close() // nothing was written
	}
}

// flows are who listens to whose events.
var flows = []struct{ service, consumer, source, from string }{
	{"orders", "orders.payments", payments.Source, "payments"},
	{"orders", "orders.inventory", inventory.Source, "inventory"},
	{"inventory", "inventory.catalogue", products.Source, "products"},
	{"orders", "orders.users", users.Source, "users"},
	{"payments", "payments.users", users.Source, "users"},
}

// compareEvents checks that every event was published and heard, and that none was set aside.
func (s stores) compareEvents(ctx context.Context) ([]string, error) {
	var broken []string
	for _, name := range audited[:len(audited)-1] {
		for _, look := range []func(context.Context, database.Querier) ([]string, error){event.Unpublished, event.Buried} {
			found, err := look(ctx, s[name].Read)
			if err != nil {
				return nil, fmt.Errorf("audit %s: %w", name, err)
			}
			for _, sentence := range found {
				broken = append(broken, name+": "+sentence)
			}
		}
	}
	for _, f := range flows {
		said, err := event.Published(ctx, s[f.from].Read)
		if err != nil {
			return nil, fmt.Errorf("audit %s: %w", f.from, err)
		}
		heard, err := event.Heard(ctx, s[f.service].Read, f.consumer, f.source)
		if err != nil {
			return nil, fmt.Errorf("audit %s: %w", f.service, err)
		}
		for _, subject := range names(said) {
			if heard[subject] < said[subject] {
				broken = append(broken, fmt.Sprintf("%s has heard %d events of %s, and %s has published %d", f.consumer, heard[subject], subject, f.from, said[subject]))
			}
		}
	}
	return broken, nil
}
