package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver postgres
)

// distributed are the campaigns against two routers and two replicas of each service, on stores of their own.
var distributed = []campaign{
	{"kill", trouble(killing)},
	{"postgres", trouble((*cluster).restartPostgres)},
	{"nats", trouble((*cluster).stopNATS)},
	{"redis", trouble((*cluster).stopRedis)},
	{"network", trouble((*cluster).spoilNetwork)},
	{"rolling", trouble(rolling)},
	{"extract", extractions},
}

// services are those that have processes and databases.
var services = []string{"provider", "users", "products", "inventory", "payments", "orders"}

// cluster is a shop in many processes, with a line to each service and store that can be spoilt, and stores that can be
// stopped.
type cluster struct {
	*program
	*config
	folder                string
	postgres, nats, redis *store
	// services are the lines by which the router and other services reach one.
	services map[string]*line
	market   *market
	// shown are the variables of what people look at.
	shown map[string]any
	watch *watch
}

// cluster is the one that campaigns share: one that is broken in one of them has to be whole in the next.
func (cfg *config) cluster(ctx context.Context) (*cluster, error) {
	if cfg.shared != nil {
		return cfg.shared, nil
	}
	c, err := cfg.startCluster(ctx, 2)
	if err != nil {
		return c, err
	}
	if err := c.rewire(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	cfg.shared = c
	return c, nil
}

// startCluster starts routers and as many replicas of each service.
func (cfg *config) startCluster(ctx context.Context, replicas int) (c *cluster, err error) {
	c = &cluster{config: cfg, services: map[string]*line{}}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.folder, err = os.MkdirTemp(cfg.folder, "cluster"); err != nil {
		return c, err
	}
	if c.postgres, err = openPostgres(); err != nil {
		return c, err
	}
	if c.redis, err = openRedis(); err != nil {
		return c, err
	}
	if c.nats, err = openNATS(filepath.Join(c.folder, "nats")); err != nil {
		return c, err
	}
	c.program, err = launch(nil, cfg.agora, "cluster", "--listen", "127.0.0.1:0", "--replicas", strconv.Itoa(replicas), "--prefix", "chaos", "--router", cfg.router,
		"--data", c.folder, "--nats", "nats://"+c.nats.at, "--redis", "redis://"+c.redis.at+"/0",
		"--postgres", "postgres://postgres@"+c.postgres.at+"/postgres?sslmode=disable")
	return c, err
}

// close ends the processes and the stores.
func (c *cluster) close() error {
	if c.program != nil {
		c.interrupt()
	}
	for _, l := range c.services {
		l.close()
	}
	return errors.Join(c.postgres.end(), c.redis.end(), c.nats.end())
}

// serviceURL is the address and the name of a service in configuration files.
var serviceURL = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/(\w+)(?:/graphql)?"`)

// rewire puts a line in front of each service and store: the configuration files that the cluster has written are changed,
// and its processes read them again.
func (c *cluster) rewire(ctx context.Context) error {
	file := filepath.Join(c.folder, "services.yaml")
	written, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := []string{c.postgres.at, c.postgres.address(), c.redis.at, c.redis.address(), c.nats.at, c.nats.address()}
	for _, found := range serviceURL.FindAllStringSubmatch(string(written), -1) {
		l, err := openLine(found[2], found[1])
		if err != nil {
			return err
		}
		c.services[found[2]] = l
		lines = append(lines, found[1], l.address())
	}
	for _, file := range []string{file, filepath.Join(c.folder, "router.yaml")} {
		written, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, []byte(strings.NewReplacer(lines...).Replace(string(written))), 0o600)
		}
		if err != nil {
			return err
		}
	}
	before := c.found()
	for _, pid := range before {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			return err
		}
	}
	return c.ready(ctx, before)
}

// processURL is what the cluster says of a process.
var processURL = regexp.MustCompile(`  \S+ +(http://\S+)  process \d+`)

// ready waits until all processes are, and none of those before are among them.
func (c *cluster) ready(ctx context.Context, before []int) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, found := range processURL.FindAllStringSubmatch(c.said(), -1) {
		for {
			now := c.found()
			left := slices.ContainsFunc(before, func(pid int) bool { return slices.Contains(now, pid) })
			if resp, err := browser.Get(found[1] + "/health/ready"); err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK && !left {
					break
				}
			}
			if !wait(ctx, 50*time.Millisecond) {
				return fmt.Errorf("%s is not ready: see %s", found[1], filepath.Join(c.folder, "logs"))
			}
		}
	}
	return nil
}

// books are the arguments by which an audit finds the databases, on a line that nobody spoils.
func (c *cluster) books() []string {
	var args []string
	for _, name := range services {
		args = append(args, "--database", name+"=postgres://postgres@"+c.postgres.at+"/chaos_"+name+"?sslmode=disable")
	}
	return args
}

// trouble has people buy and browse while something is broken again and again, and checks everything once it is whole.
func trouble(breaks func(c *cluster, ctx context.Context) (what string, err error)) func(context.Context, *config) (string, error) {
	return func(ctx context.Context, cfg *config) (string, error) {
		c, err := cfg.cluster(ctx)
		if err != nil {
			return "", err
		}
		return c.endure(ctx, func(ctx context.Context) (string, error) {
			limited, stop := context.WithTimeout(ctx, cfg.length)
			defer stop()
			return breaks(c, limited)
		}, c.books()...)
	}
}

// endure has people buy and browse as long as something is broken, and says what has become of everything; books are the
// arguments by which an audit finds them.
func (c *cluster) endure(ctx context.Context, breaks func(ctx context.Context) (what string, err error), books ...string) (string, error) {
	m, err := openMarket(ctx, c.url, 100_000, 4)
	if err != nil {
		return "", err
	}
	c.market, c.watch = m, &watch{}
	if c.shown, err = m.shown(ctx); err != nil {
		return "", err
	}
	shopping, stop := context.WithCancel(ctx)
	defer stop()
	var shoppers sync.WaitGroup
	shoppers.Go(func() { m.trade(shopping) })
	shoppers.Go(func() { c.watch.run(shopping, m, c.shown) })
	what, err := breaks(shopping)
	stop()
	shoppers.Wait()
	if err != nil {
		return what, err
	}
	o, err := m.check(ctx)
	took, broken := c.audit(ctx, books...)
	watched, slow := c.watch.figures(c.slower)
	return fmt.Sprintf("%s; %v, audit clean after %.1fs; %s", what, o, took.Seconds(), watched), errors.Join(err, broken, slow)
}

// shown are the variables of what people look at: a product that nobody buys, and an order.
func (m *market) shown(ctx context.Context) (map[string]any, error) {
	data, err := m.buyers[0].send(ctx, `{ products(query: "pot", first: 1) { edges { node { slug variants { id } } } } }`, nil)
	if err != nil {
		return nil, err
	}
	s := sent{input: m.input(0, m.sku, 0)}
	id, _, err := m.settle(ctx, s)
	s.acknowledged = id
	m.orders = append(m.orders, s)
	return map[string]any{"product": text(data, "products.edges.0.node.slug"), "variant": text(data, "products.edges.0.node.variants.0.id"), "order": id}, err
}

// wait waits, unless ctx ends before.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// found are the processes of the cluster that run now: a supervisor has started them again since.
func (c *cluster) found() []int { return childrenOf(c.command.Process.Pid) }

// runs is what a process runs: a service, or the router.
func runs(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	words := strings.Split(string(line), "\x00")
	if len(words) > 2 && words[1] == "subgraph" {
		return words[2]
	}
	return "router"
}
