package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/inventory"
	"github.com/agora-supergraph/agora/subgraphs/node"
	"github.com/agora-supergraph/agora/subgraphs/orders"
	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/sandbox"
	"github.com/agora-supergraph/agora/subgraphs/products"
	"github.com/agora-supergraph/agora/subgraphs/users"
)

// shop is all services in one process, each with a database of its own in one folder.
type shop struct {
	users     *users.Service
	products  *products.Service
	inventory *inventory.Service
	orders    *orders.Service
	payments  *payments.Service
	provider  *sandbox.Sandbox

	// servers are the subgraphs by name.
	servers map[string]*subgraph.Server
	bus     *event.Local
	log     *slog.Logger
}

// service is what all services have in common.
type service interface {
	Schema() graphql.ExecutableSchema
	Subscribe(bus event.Bus)
	Run(ctx context.Context, bus event.Bus) error
	Close() error
}

// openShop opens all services on SQLite files in folder, which is created if needed.
func openShop(ctx context.Context, folder string, log *slog.Logger) (*shop, error) {
	secret, err := readSecret(folder)
	if err != nil {
		return nil, err
	}
	s := &shop{servers: map[string]*subgraph.Server{}, bus: &event.Local{Log: log}, log: log}
	if err := s.open(ctx, folder, secret); err != nil {
		return nil, errors.Join(err, s.close())
	}
	for _, each := range s.services() {
		each.Subscribe(s.bus)
	}
	return s, nil
}

func (s *shop) open(ctx context.Context, folder string, secret []byte) (err error) {
	file := func(name string) string { return "sqlite:" + filepath.Join(folder, name+".db") }
	if s.users, err = users.New(ctx, users.Config{Database: file("users"), Secret: secret, Log: s.log}); err != nil {
		return err
	}
	verifier := &identity.Verifier{Keys: s.users.JWKS, Secret: secret}
	serve := func(name string, schema graphql.ExecutableSchema) *subgraph.Server {
		s.servers[name] = subgraph.New(subgraph.Config{Name: name, Schema: schema, Verifier: verifier, Log: s.log})
		return s.servers[name]
	}
	serve("node", node.Schema())
	serve("users", s.users.Schema())
	if s.products, err = products.New(ctx, products.Config{Database: file("products"), Log: s.log}); err != nil {
		return err
	}
	serve("products", s.products.Schema())
	if s.inventory, err = inventory.New(ctx, inventory.Config{Database: file("inventory"), Log: s.log}); err != nil {
		return err
	}
	serve("inventory", s.inventory.Schema())
	if s.provider, err = sandbox.New(ctx, sandbox.Config{Database: file("provider")}); err != nil {
		return err
	}
	if s.payments, err = payments.New(ctx, payments.Config{Database: file("payments"), Provider: s.provider, Alone: true, Log: s.log}); err != nil {
		return err
	}
	serve("payments", s.payments.Schema())
	ask := func(name string, scopes ...string) *subgraph.Client {
		return &subgraph.Client{Service: "orders", Scopes: scopes, Secret: secret, Server: s.servers[name]}
	}
	s.orders, err = orders.New(ctx, orders.Config{
		Database: file("orders"), Alone: true, Log: s.log,
		Users:     ask("users", "users:read"),
		Products:  ask("products"),
		Inventory: ask("inventory", "inventory:read", "inventory:write"),
		Payments:  ask("payments", "payments:read", "payments:write", "payments:refund"),
	})
	if err != nil {
		return err
	}
	serve("orders", s.orders.Schema())
	return nil
}

// services are those that are open, those first that others ask.
func (s *shop) services() []service {
	all := []service{}
	for _, each := range []struct {
		open bool
		service
	}{
		{s.users != nil, s.users},
		{s.products != nil, s.products},
		{s.inventory != nil, s.inventory},
		{s.payments != nil, s.payments},
		{s.orders != nil, s.orders},
	} {
		if each.open {
			all = append(all, each.service)
		}
	}
	return all
}

// run keeps the services going until ctx ends.
func (s *shop) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, each := range s.services() {
		g.Go(func() error { return each.Run(ctx, s.bus) })
	}
	return g.Wait()
}

// close closes what is open, in the reverse order.
func (s *shop) close() error {
	var errs []error
	for _, each := range slices.Backward(s.services()) {
		errs = append(errs, each.Close())
	}
	if s.provider != nil {
		errs = append(errs, s.provider.Close())
	}
	return errors.Join(errs...)
}

// readSecret is the secret that the services of this folder share; made at the first start.
func readSecret(folder string) ([]byte, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	name := filepath.Join(folder, "secret")
	secret, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		secret = make([]byte, 32)
		rand.Read(secret)
		err = os.WriteFile(name, secret, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if len(secret) < 32 {
		return nil, fmt.Errorf("data folder: %s holds %d bytes, not 32: remove it, and everybody has to log in again", name, len(secret))
	}
	return secret, nil
}
