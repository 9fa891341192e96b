package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event/jetstream"
	"github.com/agora-supergraph/agora/router/config"
)

// settings are what the services' configuration file says. All processes of an installation may have the same file, and
// each runs the services that its command line names. It is read by the rules of the router's file: strict, with
// ${env.NAME} and ${file.path} in values.
type settings struct {
	// Installation is the name of the whole, such as shop or shop-staging. Databases and streams of another one are
	// refused.
	Installation string `required:"true"`
	// Secret is shared by the services and by nobody else: it signs the tokens by which they ask each other, and encrypts
	// the keys that users' tokens are signed with. At least 32 bytes.
	Secret string `required:"true"`
	// RouterSecrets are what the router shows in the header Agora-Router; two while one is being replaced. Over HTTP
	// subgraphs answer who shows one of them, or has a service's token: none is refused.
	RouterSecrets []string
	// RouterKeys is the URL of the public keys of the routers, which say who asks by tokens that they sign:
	// http://HOST/.well-known/router/jwks.json. Users' own tokens are then good for routers only. Empty means that routers pass
	// users' tokens on.
	RouterKeys string `format:"uri"`
	// Listen is the address of the process: /NAME/graphql for each subgraph, /health/live and /health/ready. Empty means
	// 127.0.0.1:4001.
	Listen string
	// ShutdownTimeout bounds how long requests in flight are waited for when the process ends. Zero means 15 s.
	ShutdownTimeout time.Duration `min:"0s" max:"10m"`
	// Events says how events get from one service to another.
	Events eventSettings
	// Cache says where lookups are cached.
	Cache cacheSettings
	// Database is what the databases of all services have in common.
	Database databaseSettings
	// Services are where each service is, and where it keeps its data.
	Services serviceTable
	// Provider is the payment provider: the sandbox, unless Stripe is set up.
	Provider providerSettings
	// Webhooks are those that payments sends to whoever asks for them.
	Webhooks webhookSettings
	// Mail is how messages to users go out: smtp://…, smtps://… or file:FOLDER. Empty means that they are noted in the log
	// only.
	Mail string
	// VerifyLink and ResetLink are what the tokens in messages are appended to, such as https://shop.example/verify#. Empty
	// means that a message shows the token alone.
	VerifyLink, ResetLink string
	// Log is the log, on standard error.
	Log config.Log

	// alone says that no other process has these databases.
	alone bool
}

// eventSettings choose the bus.
type eventSettings struct {
	// NATS is the URL of the NATS server with JetStream, or several with commas between them. Empty means that events stay
	// in the process: it then has to run all services.
	NATS string
	// Prefix begins the names of streams and subjects. Empty means agora.
	Prefix string
	// Replicas is how many servers of a NATS cluster keep each stream. Zero means 1.
	Replicas int `min:"0" max:"5"`
	// Keep is for how long streams keep events. Zero means 168h.
	Keep time.Duration `min:"0s" max:"8760h"`
}

// databaseSettings are parameters of all databases' URLs, where these don't say otherwise. They concern Postgres.
type databaseSettings struct {
	// MaxConnections is how many connections each service's process may have. Zero means 8.
	MaxConnections int `min:"0" max:"1000"`
	// PreparedStatements is how many statements each connection keeps prepared. Zero means 128, -1 none: for a pooler that hands
	// every transaction to another connection and does not know of them.
	PreparedStatements int `min:"-1" max:"10000"`
	// ConnectTimeout bounds connecting. Zero means 5 s.
	ConnectTimeout time.Duration `min:"0s" max:"10m"`
	// StatementTimeout bounds one statement. Zero means 30 s.
	StatementTimeout time.Duration `min:"0s" max:"1h"`
	// LockTimeout bounds the wait for a lock. Zero means 10 s.
	LockTimeout time.Duration `min:"0s" max:"1h"`
	// IdleTransactionTimeout is after what time the server ends a transaction in which nothing happens. Zero means 60 s.
	IdleTransactionTimeout time.Duration `min:"0s" max:"1h"`
}

// serviceTable is a service's settings by name.
type serviceTable struct {
	Users, Products, Inventory, Orders, Payments, Node serviceSettings
}

// serviceSettings say where a service is.
type serviceSettings struct {
	// URL is its GraphQL endpoint, for services in other processes.
	URL string `format:"uri"`
	// Database is the URL of its own database: postgres://… or sqlite:PATH.
	Database string
}

// webhookSettings say where webhooks may be sent.
type webhookSettings struct {
	// Private allows http:// and addresses that are not on the internet, for development and for receivers in one's own
	// network.
	Private bool
}

// stripeSettings are those of an account at Stripe.
type stripeSettings struct {
	// SecretKey is the account's secret or restricted API key. Empty means that the sandbox is the provider.
	SecretKey string
	// WebhookSecrets are the signing secrets of the webhook endpoint; two while one is being rolled.
	WebhookSecrets []string
	// ReturnURL is where the buyer's bank sends them after 3-D Secure.
	ReturnURL string `format:"uri"`
	// URL is the API's address. Empty means https://api.stripe.com.
	URL string `format:"uri"`
}

// providerSettings choose the payment provider, and say where the sandbox is.
type providerSettings struct {
	// Stripe is the provider for real money.
	Stripe stripeSettings
	// URL is where it is reached. Empty means that payments runs it itself, on its database.
	URL string `format:"uri"`
	// Database is the URL of its own database.
	Database string
	// APIKey is what it asks of its clients.
	APIKey string
	// WebhookSecret signs its webhooks: whsec_ and base64. Empty means that it sends none.
	WebhookSecret string
	// Webhook is where payments takes its webhooks. Empty means beside services.payments.url.
	Webhook string `format:"uri"`
}

// byName is the settings of a service.
func (t serviceTable) byName(name string) serviceSettings {
	return map[string]serviceSettings{
		"users": t.Users, "products": t.Products, "inventory": t.Inventory, "orders": t.Orders, "payments": t.Payments, "node": t.Node,
	}[name]
}

// readSettings reads a configuration file.
func readSettings(path string) (settings, error) {
	if path == "" {
		return settings{}, errors.New("no configuration file: name one by --config")
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return settings{}, fmt.Errorf("read configuration: %w", err)
	}
	var cfg settings
	if err := config.Decode(path, source, &cfg); err != nil {
		return settings{}, err
	}
	if len(cfg.Secret) < minSecret {
		return settings{}, fmt.Errorf("%s: secret: it has %d bytes, expected at least %d", path, len(cfg.Secret), minSecret)
	}
	return cfg, nil
}

// minSecret is how long the services' secret must be, in bytes.
const minSecret = 32

// localSettings are those of a development shop: everything in one process, in files of a folder.
func localSettings(folder string, secret []byte) settings {
	file := func(name string) string { return "sqlite:" + filepath.Join(folder, name+".db") }
	in := func(name string) serviceSettings { return serviceSettings{Database: file(name)} }
	return settings{
		Secret: string(secret), alone: true, Mail: "file:" + mailFolder(folder), Webhooks: webhookSettings{Private: true},
		Services: serviceTable{Users: in("users"), Products: in("products"), Inventory: in("inventory"), Orders: in("orders"), Payments: in("payments")},
		Provider: providerSettings{Database: file("provider"), WebhookSecret: webhookSecret(secret)},
	}
}

// mailFolder is where a development shop puts mail.
func mailFolder(folder string) string { return filepath.Join(folder, "mail") }

// webhookSecret is what a development shop's provider signs with. Nobody else knows the secret that it comes from.
func webhookSecret(secret []byte) string {
	key, err := hkdf.Key(sha256.New, secret, nil, "agora provider webhooks", 32)
	if err != nil {
		panic(err) // only for keys that are far longer
	}
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// check says what the file lacks for running some services in one process.
func (cfg settings) check(names []string) error {
	var errs []error
	missing := func(key, why string) { errs = append(errs, fmt.Errorf("the setting %s is missing: %s", key, why)) }
	has := func(name string) bool { return slices.Contains(names, name) }
	for _, name := range names {
		if name != "node" && name != "provider" && cfg.Services.byName(name).Database == "" {
			missing("services."+name+".database", "the service runs here")
		}
	}
	if len(names) > 0 && !has("users") && !(len(names) == 1 && has("provider")) && cfg.Services.Users.URL == "" && cfg.RouterKeys == "" {
		missing("services.users.url", "its keys verify who asks")
	}
	if has("orders") {
		for _, name := range []string{"products", "inventory", "payments"} {
			if !has(name) && cfg.Services.byName(name).URL == "" {
				missing("services."+name+".url", "orders asks it")
			}
		}
	}
	if has("payments") && !has("orders") && cfg.Services.Orders.URL == "" {
		missing("services.orders.url", "payments asks it about what staff have paid by hand")
	}
	if cfg.Provider.Stripe.SecretKey == "" && cfg.Provider.Database == "" && (has("provider") || has("payments") && cfg.Provider.URL == "") {
		missing("provider.database", "the sandbox provider runs here")
	}
	for _, name := range []string{"users", "products", "inventory", "orders", "payments"} {
		if cfg.Events.NATS == "" && len(names) > 0 && !has(name) && !slices.Equal(names, []string{"node"}) && !slices.Equal(names, []string{"provider"}) {
			missing("events.nats", name+" runs in another process")
			break
		}
	}
	return errors.Join(errs...)
}

// checkDoor says what the file lacks for answering over HTTP.
func (cfg settings) checkDoor() error {
	for _, secret := range cfg.RouterSecrets {
		if len(secret) < minRouterSecret {
			return fmt.Errorf("router_secrets: one of them has %d bytes, expected at least %d", len(secret), minRouterSecret)
		}
	}
	if len(cfg.RouterSecrets) == 0 {
		return errors.New("the setting router_secrets is missing: subgraphs answer the router and each other, and nobody else")
	}
	return nil
}

// minRouterSecret is how long a router's secret must be, in bytes.
const minRouterSecret = 16

// database is a service's database URL with all that is to be said about the connection.
func (cfg settings) database(name, url string) string {
	parameters := map[string]string{}
	if cfg.Installation != "" {
		parameters["owner"] = cfg.Installation + "/" + name
	}
	if strings.HasPrefix(url, "postgres") {
		milliseconds := func(d, otherwise time.Duration) string {
			if d == 0 {
				d = otherwise
			}
			return strconv.FormatInt(d.Milliseconds(), 10)
		}
		d := cfg.Database
		if d.MaxConnections > 0 {
			parameters["pool_max_conns"] = strconv.Itoa(d.MaxConnections)
		}
		if d.PreparedStatements != 0 {
			parameters["pool_statements"] = strconv.Itoa(max(d.PreparedStatements, 0))
		}
		seconds := max(d.ConnectTimeout, time.Second)
		if d.ConnectTimeout == 0 {
			seconds = 5 * time.Second
		}
		parameters["connect_timeout"] = strconv.Itoa(int(seconds.Seconds()))
		parameters["statement_timeout"] = milliseconds(d.StatementTimeout, 30*time.Second)
		parameters["lock_timeout"] = milliseconds(d.LockTimeout, 10*time.Second)
		parameters["idle_in_transaction_session_timeout"] = milliseconds(d.IdleTransactionTimeout, time.Minute)
		parameters["application_name"] = "agora/" + name
	}
	return database.WithSettings(url, parameters)
}

// jetstream is the configuration of the bus between processes.
func (e eventSettings) jetstream(installation string) jetstream.Config {
	return jetstream.Config{URL: e.NATS, Prefix: e.Prefix, Installation: installation, Replicas: e.Replicas, Keeps: e.Keep}
}
