package main

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/internal/webhook"
)

// clusterPlan is which processes there are, and on what files.
type clusterPlan struct {
	// settings is the services' configuration file.
	settings string
	// front is where clients find the routers.
	front             string
	children, routers []*child
	balancers         []*balancer
}

// plan chooses addresses, and writes the configuration files of services and router.
func (cfg clusterConfig) plan() (*clusterPlan, error) {
	folder, err := filepath.Abs(cfg.data)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &clusterPlan{settings: filepath.Join(folder, "services.yaml")}
	logs := filepath.Join(folder, "logs")
	addresses := map[string]string{}
	for _, name := range distributed {
		if addresses[name], err = cfg.address(name); err != nil {
			return nil, err
		}
		replicas := cfg.replicas
		if name == "provider" { // its time passes in one process
			replicas = 1
		}
		services, err := p.replicas(&child{name: name, address: addresses[name], logs: logs, command: []string{self, "subgraph", name, "--config", p.settings}}, replicas)
		if err != nil {
			return nil, err
		}
		p.children = append(p.children, services...)
	}
	program, err := cfg.routerProgram(self)
	if err != nil {
		return nil, err
	}
	p.front = cfg.listen
	if strings.HasSuffix(p.front, ":0") {
		if p.front, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	routerFile := filepath.Join(folder, "router.yaml")
	if p.routers, err = p.replicas(&child{name: "router", address: p.front, logs: logs, command: []string{program, "serve", "--config", routerFile}}, cfg.replicas); err != nil {
		return nil, err
	}
	shareProcessors(slices.Concat(p.children, p.routers))
	for _, name := range []string{"services", "router", "provider"} {
		if err := keepSecret(filepath.Join(folder, name+".secret"), textSecret); err != nil {
			return nil, err
		}
	}
	if err := keepSecret(filepath.Join(folder, "router.key"), signingKey); err != nil {
		return nil, err
	}
	supergraph, err := composed()
	if err != nil {
		return nil, err
	}
	settings, err := cfg.settingsFile(addresses, p.front)
	if err != nil {
		return nil, err
	}
	return p, errors.Join(
		os.MkdirAll(logs, 0o755),
		os.WriteFile(filepath.Join(folder, "supergraph.graphql"), []byte(supergraph), 0o644),
		os.WriteFile(p.settings, []byte(settings), 0o600),
		os.WriteFile(routerFile, []byte(cfg.routerConfig(addresses)), 0o600),
	)
}

// address is where a service is reached.
func (cfg clusterConfig) address(name string) (string, error) {
	if strings.HasSuffix(cfg.listen, ":0") {
		return freeAddress()
	}
	return fmt.Sprintf("127.0.0.1:%d", cmp.Or(ports[name], 4007)), nil
}

// replicas are processes like one: several share its address by a balancer.
func (p *clusterPlan) replicas(one *child, count int) ([]*child, error) {
	if count == 1 {
		one.command = append(one.command, "--listen", one.address)
		return []*child{one}, nil
	}
	b := &balancer{address: one.address}
	var all []*child
	for i := range count {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		all = append(all, &child{
			name: fmt.Sprint(one.name, "-", i+1), address: address, logs: one.logs,
			command: append(slices.Clone(one.command), "--listen", address),
		})
		b.replicas = append(b.replicas, address)
	}
	p.balancers = append(p.balancers, b)
	return all, nil
}

// settingsFile is the services' configuration.
func (cfg clusterConfig) settingsFile(addresses map[string]string, front string) (string, error) {
	folder, err := filepath.Abs(cfg.data)
	if err != nil {
		return "", err
	}
	server, err := url.Parse(cfg.postgres)
	if err != nil {
		return "", fmt.Errorf("--postgres: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "installation: %q\nsecret: ${file.services.secret}\nrouter_secrets: [\"${file.router.secret}\"]\nrouter_keys: \"http://%s/.well-known/router/jwks.json\"\nwebhooks: { private: true }\nmail: %q\n", cfg.prefix, front, "file:"+mailFolder(folder))
	fmt.Fprintf(&b, "events: { nats: %q, prefix: %q }\ncache: { redis: %q }\nlog: { format: json }\nservices:\n", cfg.nats, cfg.prefix, cfg.redis)
	for _, name := range distributed {
		server.Path = "/" + cfg.databaseName(name)
		switch name {
		case "provider":
			fmt.Fprintf(&b, "  # the provider is below\n")
		case "node":
			fmt.Fprintf(&b, "  node: { url: \"http://%s/node/graphql\" }\n", addresses[name])
		default:
			fmt.Fprintf(&b, "  %s: { url: \"http://%s/%s/graphql\", database: %q }\n", name, addresses[name], name, server)
		}
	}
	server.Path = "/" + cfg.databaseName("provider")
	fmt.Fprintf(&b, "provider: { url: \"http://%s/provider\", database: %q, api_key: \"${file.provider.secret}\", webhook_secret: %q }\n", addresses["provider"], server, webhook.NewSecret())
	return b.String(), nil
}

// routerConfig is the routers' configuration. What they tell services of a client is signed, and good for as long as the
// client's own token is.
func (cfg clusterConfig) routerConfig(addresses map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `supergraph: supergraph.graphql
headers: { all: { request: [{ insert: Authorization, from: identity.bearer }, { propagate: User-Agent }, { insert: X-Client-Address, from: client.address }] } }
identity: { key: "${file.router.key}", audience: agora, life: 1h, claims: [sid] }
introspection: true
playground: true
all_subgraphs:
  timeout: 30s
  headers: { Agora-Router: "${file.router.secret}" }
  subscriptions: { protocol: sse }
jwt:
  issuers:
    - { issuer: agora/users, audience: agora, jwks_url: "http://%s/.well-known/jwks.json" }
rate_limit: { redis: %q, prefix: %q }
persisted: { automatic: { enabled: true, redis: %q, prefix: %q } }
subgraphs:
`, addresses["users"], cfg.redis, cfg.prefix, cfg.redis, cfg.prefix+":apq:")
	for _, name := range names(ports) {
		fmt.Fprintf(&b, "  %s: { url: \"http://%s/%s/graphql\" }\n", name, addresses[name], name)
	}
	return b.String()
}

// keepSecret makes the file of a secret, if there is none.
func keepSecret(file string, secret func() ([]byte, error)) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	made, err := secret()
	if err != nil {
		return err
	}
	return os.WriteFile(file, made, 0o600)
}

func textSecret() ([]byte, error) { return []byte(rand.Text() + rand.Text()), nil }

// signingKey is a private key as the router reads it.
func signingKey() ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// buildRouter builds the router's program into a folder, with the Go toolchain, from this repository.
func buildRouter(folder string) (string, error) {
	program := filepath.Join(folder, "router")
	build := exec.Command("go", "build", "-o", program, "github.com/agora-supergraph/agora/router/cmd/router")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the router (name its program by --router if there is one): %w\n%s", err, out)
	}
	return program, nil
}
