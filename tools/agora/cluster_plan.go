package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/agora-supergraph/agora/internal/webhook"
)

// clusterPlan is which processes there are, and on what files.
type clusterPlan struct {
	// settings is the services' configuration file.
	settings  string
	children  []*child
	router    *child
	balancers []*balancer
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
	addresses := map[string]string{}
	for _, name := range distributed {
		if addresses[name], err = cfg.address(name); err != nil {
			return nil, err
		}
		if err := p.add(cfg, self, name, addresses[name]); err != nil {
			return nil, err
		}
	}
	program, err := cfg.routerProgram(self)
	if err != nil {
		return nil, err
	}
	front := cfg.listen
	if strings.HasSuffix(front, ":0") {
		if front, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	routerFile := filepath.Join(folder, "router.yaml")
	p.router = &child{name: "router", address: front, logs: filepath.Join(folder, "logs"), command: []string{program, "serve", "--config", routerFile, "--listen", front}}
	secrets := map[string]string{}
	for _, name := range []string{"services", "router", "provider"} {
		if secrets[name], err = textSecret(filepath.Join(folder, name+".secret")); err != nil {
			return nil, err
		}
	}
	supergraph, err := composed()
	if err != nil {
		return nil, err
	}
	settings, err := cfg.settingsFile(addresses)
	if err != nil {
		return nil, err
	}
	return p, errors.Join(
		os.MkdirAll(p.router.logs, 0o755),
		os.WriteFile(filepath.Join(folder, "supergraph.graphql"), []byte(supergraph), 0o644),
		os.WriteFile(p.settings, []byte(settings), 0o600),
		os.WriteFile(routerFile, []byte(routerConfig(addresses)), 0o600),
	)
}

// address is where a service is reached.
func (cfg clusterConfig) address(name string) (string, error) {
	if strings.HasSuffix(cfg.listen, ":0") {
		return freeAddress()
	}
	return fmt.Sprintf("127.0.0.1:%d", cmp.Or(ports[name], 4007)), nil
}

// add adds the processes of a service: several share an address by a balancer. The provider's time passes in one process.
func (p *clusterPlan) add(cfg clusterConfig, self, name, address string) error {
	replicas := cfg.replicas
	if name == "provider" {
		replicas = 1
	}
	b := &balancer{address: address}
	for i := range replicas {
		c := &child{name: name, address: address, logs: filepath.Join(filepath.Dir(p.settings), "logs")}
		if replicas > 1 {
			var err error
			if c.address, err = freeAddress(); err != nil {
				return err
			}
			c.name = fmt.Sprint(name, "-", i+1)
			b.replicas = append(b.replicas, c.address)
		}
		c.command = []string{self, "subgraph", name, "--config", p.settings, "--listen", c.address}
		p.children = append(p.children, c)
	}
	if replicas > 1 {
		p.balancers = append(p.balancers, b)
	}
	return nil
}

// settingsFile is the services' configuration.
func (cfg clusterConfig) settingsFile(addresses map[string]string) (string, error) {
	folder, err := filepath.Abs(cfg.data)
	if err != nil {
		return "", err
	}
	server, err := url.Parse(cfg.postgres)
	if err != nil {
		return "", fmt.Errorf("--postgres: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "installation: %q\nsecret: ${file.services.secret}\nrouter_secrets: [\"${file.router.secret}\"]\nwebhooks: { private: true }\nmail: %q\n", cfg.prefix, "file:"+mailFolder(folder))
	fmt.Fprintf(&b, "events: { nats: %q, prefix: %q }\nlog: { format: json }\nservices:\n", cfg.nats, cfg.prefix)
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

// routerConfig is the router's configuration.
func routerConfig(addresses map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `supergraph: supergraph.graphql
headers: { all: { request: [{ propagate: Authorization }, { propagate: User-Agent }, { insert: X-Client-Address, from: client.address }] } }
introspection: true
playground: true
all_subgraphs:
  timeout: 30s
  headers: { Agora-Router: "${file.router.secret}" }
  subscriptions: { protocol: sse }
jwt:
  issuers:
    - { issuer: agora/users, audience: agora, jwks_url: "http://%s/.well-known/jwks.json" }
subgraphs:
`, addresses["users"])
	for _, name := range names(ports) {
		fmt.Fprintf(&b, "  %s: { url: \"http://%s/%s/graphql\" }\n", name, addresses[name], name)
	}
	return b.String()
}

// textSecret is the secret in a file, which is made if there is none.
func textSecret(file string) (string, error) {
	secret, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		secret = []byte(rand.Text() + rand.Text())
		err = os.WriteFile(file, secret, 0o600)
	}
	return string(secret), err
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
