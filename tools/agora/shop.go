package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/event/jetstream"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/inventory"
	"github.com/agora-supergraph/agora/subgraphs/node"
	"github.com/agora-supergraph/agora/subgraphs/orders"
	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/sandbox"
	"github.com/agora-supergraph/agora/subgraphs/payments/stripe"
	"github.com/agora-supergraph/agora/subgraphs/products"
	"github.com/agora-supergraph/agora/subgraphs/users"
)

// shop is the services that run in this process, all or some, each with a database of its own. Those that run elsewhere
// are nil.
type shop struct {
	users     *users.Service
	products  *products.Service
	inventory *inventory.Service
	orders    *orders.Service
	payments  *payments.Service
	provider  *sandbox.Sandbox
	// ordersForPayments is payments' client of orders, which is opened later.
	ordersForPayments *subgraph.Client

	// servers are the subgraphs by name.
	servers map[string]*subgraph.Server
	// bus is Local, or the stream, which has to be run and closed.
	bus    event.Bus
	stream *jetstream.Bus
	// keys are those of the users service, here or elsewhere.
	keys identity.JWKS
	cfg  settings
	log  *slog.Logger
	// watch is set for the router.
	watch *watching
}

// service is what all services have in common.
type service interface {
	Schema() graphql.ExecutableSchema
	Subscribe(bus event.Bus)
	Run(ctx context.Context, bus event.Bus) error
	Close() error
}

// everything are the names of all services, those first that others ask; provider is the sandbox payment provider.
var everything = []string{"node", "users", "products", "inventory", "provider", "payments", "orders"}

// sources are the sources of events that services publish, by name.
var sources = map[string]string{
	"users": users.Source, "products": products.Source, "inventory": inventory.Source, "orders": orders.Source, "payments": payments.Source,
}

// openShop opens services by name. Those that they ask and that aren't among them are reached over HTTP.
func openShop(ctx context.Context, cfg settings, names []string, log *slog.Logger) (*shop, error) {
	if err := cfg.check(names); err != nil {
		return nil, err
	}
	s := &shop{cfg: cfg, log: log}
	if err := s.open(ctx, names); err != nil {
		return nil, errors.Join(err, s.close())
	}
	for _, each := range s.services() {
		each.Subscribe(s.bus)
	}
	return s, nil
}

func (s *shop) open(ctx context.Context, names []string) error {
	if err := s.openBus(ctx, names); err != nil {
		return err
	}
	if users := s.cfg.Services.Users.URL; users != "" && !slices.Contains(names, "users") {
		keys, err := keysOfUsers(users)
		if err != nil {
			return err
		}
		s.keys = keys
	}
	for _, name := range everything {
		if slices.Contains(names, name) {
			if err := s.openAlone(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// openAlone opens one service, without a bus.
func (s *shop) openAlone(ctx context.Context, name string) error {
	if s.servers == nil {
		s.servers = map[string]*subgraph.Server{}
	}
	return map[string]func(context.Context) error{
		"node": s.openNode, "users": s.openUsers, "products": s.openProducts, "inventory": s.openInventory,
		"provider": s.openProvider, "payments": s.openPayments, "orders": s.openOrders,
	}[name](ctx)
}

func (s *shop) openNode(context.Context) error {
	s.serveSubgraph("node", node.Schema())
	return nil
}

// openBus connects to the bus, and makes the streams of the services' events.
func (s *shop) openBus(ctx context.Context, names []string) (err error) {
	if s.cfg.Events.NATS == "" {
		s.bus = &event.Local{Log: s.log}
		return nil
	}
	cfg := s.cfg.Events.jetstream(s.cfg.Installation)
	cfg.Log = s.log
	if s.stream, err = jetstream.Connect(cfg); err != nil {
		return err
	}
	s.bus = s.stream
	for _, name := range names {
		if source, ok := sources[name]; ok {
			if err := s.stream.Claim(ctx, source); err != nil {
				return err
			}
		}
	}
	return nil
}

// serveSubgraph adds the server of a subgraph.
func (s *shop) serveSubgraph(name string, schema graphql.ExecutableSchema) {
	verifier := &identity.Verifier{Secret: []byte(s.cfg.Secret)}
	if s.cfg.RouterKeys != "" {
		verifier.Router = (&remoteKeys{url: s.cfg.RouterKeys}).Keys
	} else {
		verifier.Keys = func(ctx context.Context) (*jose.JSONWebKeySet, error) { return s.keys(ctx) } // users may come after node
	}
	s.servers[name] = subgraph.New(subgraph.Config{Name: name, Schema: schema, RouterSecrets: s.cfg.RouterSecrets, Verifier: verifier, Log: s.log})
}

func (s *shop) database(name string) string {
	return s.cfg.database(name, s.cfg.Services.byName(name).Database)
}

func (s *shop) openUsers(ctx context.Context) (err error) {
	if s.users, err = users.New(ctx, users.Config{
		Database: s.database("users"), Secret: []byte(s.cfg.Secret), Mail: s.cfg.Mail, VerifyLink: s.cfg.VerifyLink, ResetLink: s.cfg.ResetLink, Log: s.log,
	}); err != nil {
		return err
	}
	s.keys = s.users.JWKS
	s.serveSubgraph("users", s.users.Schema())
	return nil
}

func (s *shop) openProducts(ctx context.Context) (err error) {
	cached, err := s.cfg.cache()
	if err != nil {
		return err
	}
	if s.products, err = products.New(ctx, products.Config{Database: s.database("products"), Cache: cached, Log: s.log}); err != nil {
		return err
	}
	s.serveSubgraph("products", s.products.Schema())
	return nil
}

func (s *shop) openInventory(ctx context.Context) (err error) {
	cached, err := s.cfg.cache()
	if err != nil {
		return err
	}
	if s.inventory, err = inventory.New(ctx, inventory.Config{Database: s.database("inventory"), Cache: cached, Log: s.log}); err != nil {
		return err
	}
	s.serveSubgraph("inventory", s.inventory.Schema())
	return nil
}

// openProvider opens the sandbox, unless Stripe is the provider.
func (s *shop) openProvider(ctx context.Context) (err error) {
	p := s.cfg.Provider
	if p.Stripe.SecretKey != "" {
		return nil
	}
	cfg := sandbox.Config{Database: s.cfg.database("provider", p.Database), URL: p.URL, APIKey: p.APIKey, WebhookSecret: p.WebhookSecret, Webhook: p.Webhook, Log: s.log}
	if payments := s.cfg.Services.Payments.URL; payments != "" && p.Webhook == "" {
		cfg.Webhook = trimGraphQL(payments) + webhookPath
	}
	s.provider, err = sandbox.New(ctx, cfg)
	return err
}

// paymentProvider is the provider that is configured. A sandbox is in this process, or elsewhere; where neither is said,
// payments runs one of its own.
func (s *shop) paymentProvider(ctx context.Context) (payments.Provider, error) {
	p := s.cfg.Provider
	if p.Stripe.SecretKey != "" {
		return &stripe.Provider{SecretKey: p.Stripe.SecretKey, WebhookSecrets: p.Stripe.WebhookSecrets, ReturnURL: p.Stripe.ReturnURL, URL: p.Stripe.URL}, nil
	}
	if s.provider == nil && p.URL == "" {
		if err := s.openProvider(ctx); err != nil {
			return nil, err
		}
	}
	if s.provider != nil {
		return s.provider, nil
	}
	return &sandbox.Client{URL: p.URL, APIKey: p.APIKey, WebhookSecrets: nonEmpty(p.WebhookSecret)}, nil
}

// openPayments opens the payments service.
func (s *shop) openPayments(ctx context.Context) error {
	provider, err := s.paymentProvider(ctx)
	if err != nil {
		return err
	}
	cfg := payments.Config{
		Database: s.database("payments"), Provider: provider, Alone: s.cfg.alone, Log: s.log,
		Orders:   s.client("payments", "orders", "orders:read"),
		Webhooks: webhook.Config{Key: []byte(s.cfg.Secret), Private: s.cfg.Webhooks.Private},
	}
	for _, name := range names(sources) {
		cfg.WebhookSources = append(cfg.WebhookSources, sources[name])
	}
	if s.payments, err = payments.New(ctx, cfg); err != nil {
		return err
	}
	s.ordersForPayments = cfg.Orders
	s.serveSubgraph("payments", s.payments.Schema())
	return nil
}

// client is how a service asks another one.
func (s *shop) client(service, other string, scopes ...string) *subgraph.Client {
	return &subgraph.Client{
		Service: service, Scopes: scopes, Secret: []byte(s.cfg.Secret), Server: s.servers[other],
		URL: s.cfg.Services.byName(other).URL, HTTP: betweenServices,
	}
}

func nonEmpty(values ...string) []string {
	return slices.DeleteFunc(values, func(v string) bool { return v == "" })
}

func (s *shop) openOrders(ctx context.Context) (err error) {
	s.orders, err = orders.New(ctx, orders.Config{
		Database: s.database("orders"), Alone: s.cfg.alone, Log: s.log,
		Users:     s.client("orders", "users", "users:read"),
		Products:  s.client("orders", "products"),
		Inventory: s.client("orders", "inventory", "inventory:read", "inventory:write"),
		Payments:  s.client("orders", "payments", "payments:read", "payments:write", "payments:refund"),
	})
	if err != nil {
		return err
	}
	s.serveSubgraph("orders", s.orders.Schema())
	if s.ordersForPayments != nil {
		s.ordersForPayments.Server = s.servers["orders"]
	}
	return nil
}

// betweenServices is the client by which services ask each other: it keeps as many connections as sagas may be under way.
var betweenServices = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
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
	if s.provider != nil {
		g.Go(func() error { return s.provider.Run(ctx) })
	}
	if s.stream != nil {
		g.Go(func() error { return s.stream.Run(ctx) })
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
	if s.stream != nil {
		errs = append(errs, s.stream.Close())
	}
	return errors.Join(errs...)
}
