package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// alone are the campaigns against a shop in one process.
var alone = []campaign{
	{"services", campaignsOfServices},
	{"rush", rush},
	{"key", oneKey},
	{"cart", changedCarts},
	{"faults", faults},
	{"stops", stops},
}

// dev starts a shop on a data folder.
func (cfg *config) dev(folder string, env ...string) (*program, error) {
	return launch(env, cfg.agora, "dev", "--listen", "127.0.0.1:0", "--data", folder, "--log", "error")
}

// audit waits until all books agree, and says how long that took.
func (cfg *config) audit(ctx context.Context, args ...string) (time.Duration, error) {
	begun := time.Now()
	for {
		out, err := exec.CommandContext(ctx, cfg.agora, append([]string{"audit"}, args...)...).CombinedOutput()
		if err == nil {
			return time.Since(begun), nil
		}
		if time.Since(begun) > settleTimeout {
			return time.Since(begun), fmt.Errorf("audit: %w: %s", err, out)
		}
	}
}

// campaignsOfServices runs the campaigns that services have among their tests: every token of the provider, lost answers,
// webhooks of all kinds, the expiry of a reservation against its commit, events that come again and out of order.
func campaignsOfServices(ctx context.Context, _ *config) (string, error) {
	test := exec.CommandContext(ctx, "go", "test", "-count=1", "-timeout", "60m", "./subgraphs/inventory", "./subgraphs/payments", "./subgraphs/orders", "./internal/event/...")
	test.Env = append(os.Environ(), "AGORA_CAMPAIGN=100")
	out, err := test.CombinedOutput()
	if err != nil {
		return "go test", fmt.Errorf("%w\n%s", err, out)
	}
	return fmt.Sprintf("%d packages with AGORA_CAMPAIGN=100", strings.Count(string(out), "ok  ")), nil
}

// rush has 1,000 orders fight for 100 units.
func rush(ctx context.Context, cfg *config) (string, error) {
	p, err := cfg.dev(filepath.Join(cfg.folder, "rush"))
	if err != nil {
		return "", err
	}
	defer p.kill()
	seeds, sold := 0, 0
	for begun := time.Now(); seeds == 0 || (time.Since(begun) < cfg.length && seeds < 20); seeds++ {
		m, err := openMarket(ctx, p.url, 100, 10)
		if err != nil {
			return "", err
		}
		var wg sync.WaitGroup
		for i := range 1000 {
			s := sent{buyer: i % 10, input: m.input(i%10, fmt.Sprint("rush ", i), 0)}
			m.orders = append(m.orders, s)
			wg.Go(func() { m.settle(ctx, s) })
		}
		wg.Wait()
		o, err := m.check(ctx)
		if err == nil && o.confirmed != 100 {
			err = fmt.Errorf("%d of 100 units are sold", o.confirmed)
		}
		if err != nil {
			return o.String(), err
		}
		sold += o.confirmed
	}
	_, err = cfg.audit(ctx, "--data", filepath.Join(cfg.folder, "rush"))
	return fmt.Sprintf("%d rounds of 1,000 orders for 100 units: %d sold, oversold 0, undersold 0", seeds, sold), err
}

// oneKey sends an order 50 times at once, kills the shop, and sends it again.
func oneKey(ctx context.Context, cfg *config) (string, error) {
	folder := filepath.Join(cfg.folder, "key")
	p, err := cfg.dev(folder)
	if err != nil {
		return "", err
	}
	defer func() { p.kill() }()
	m, err := openMarket(ctx, p.url, 1000, 1)
	if err != nil {
		return "", err
	}
	s := sent{input: m.input(0, "one key", 0)}
	answers := make([]string, 50)
	problems := make([]error, 51)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i], _, problems[i] = m.settle(ctx, s) })
	}
	wg.Wait()
	p.kill()
	if p, err = cfg.dev(folder); err != nil {
		return "", err
	}
	m.moveTo(p.url)
	m.orders = []sent{s}
	again, _, err := m.settle(ctx, s)
	problems[50] = err
	distinct := map[string]bool{again: true}
	for _, id := range answers {
		distinct[id] = true
	}
	if len(distinct) != 1 || again == "" {
		problems = append(problems, fmt.Errorf("one key has the answers %v", distinct))
	}
	o, err := m.check(ctx)
	_, broken := cfg.audit(ctx, "--data", folder)
	return fmt.Sprintf("one key 50 times at once and after kill -9: %d orders, %d distinct answers", o.confirmed, len(distinct)), errors.Join(append(problems, err, broken)...)
}

// moveTo says that the shop has another address, after a restart.
func (m *market) moveTo(url string) {
	m.url, m.staff.url = url, url
	for i := range m.buyers {
		m.buyers[i].url = url
	}
}

const (
	checkoutQuery = `mutation($i: CheckoutInput!) { checkout(input: $i) { order { status total { minorUnits } lines { quantity } } userErrors { code } } }`
	tries         = 200
)

// changedCarts adds to a cart while it is checked out: what is paid is what is in the order, whoever comes first.
func changedCarts(ctx context.Context, cfg *config) (string, error) {
	folder := filepath.Join(cfg.folder, "cart")
	p, err := cfg.dev(folder)
	if err != nil {
		return "", err
	}
	defer p.kill()
	m, err := openMarket(ctx, p.url, 10*tries, 1)
	if err != nil {
		return "", err
	}
	b, stolen, placed := m.buyers[0], 0, 0
	for i := range tries {
		cart, err := b.send(ctx, `{ me { cart { id total { minorUnits } lines { quantity } } } }`, nil)
		if err == nil && at(cart, "me.cart.lines.0") == nil {
			if _, err = b.send(ctx, addQuery, map[string]any{"v": m.variant, "n": 1}); err == nil {
				cart, err = b.send(ctx, `{ me { cart { id total { minorUnits } lines { quantity } } } }`, nil)
			}
		}
		if err != nil {
			return "", err
		}
		seen, units := number(cart, "me.cart.total.minorUnits"), number(cart, "me.cart.lines.0.quantity")
		added := make(chan error, 1)
		go func() {
			_, err := b.send(ctx, addQuery, map[string]any{"v": m.variant, "n": 1})
			added <- err
		}()
		got, err := b.send(ctx, checkoutQuery, map[string]any{"i": map[string]any{
			"cartId": text(cart, "me.cart.id"), "addressId": b.address, "paymentMethodToken": "tok_ok",
			"expectedTotalMinorUnits": seen, "idempotencyKey": fmt.Sprint("cart ", i), "waitMs": 5000,
		}})
		if err = errors.Join(err, <-added); err != nil {
			return "", err
		}
		if text(got, "checkout.order.status") != "" {
			placed++
			if number(got, "checkout.order.lines.0.quantity") != units || number(got, "checkout.order.total.minorUnits") != seen {
				stolen++
			}
		}
	}
	if _, err = cfg.audit(ctx, "--data", folder); err == nil && stolen > 0 {
		err = fmt.Errorf("%d orders have more than was paid", stolen)
	}
	return fmt.Sprintf("a cart that changes while it is checked out, %d tries: %d orders placed, attacks that succeeded %d", tries, placed, stolen), err
}

// points are the fault points on the way of an order.
var points = []string{
	"orders.placing", "orders.placed", "orders.reserved", "orders.reserved.recorded", "orders.authorized", "orders.authorized.recorded",
	"orders.committed", "orders.committed.recorded", "orders.captured", "orders.captured.recorded",
	"payments.intended", "payments.asked", "payments.recorded",
}

// faults has the process die at each point of a checkout, at an order that the seed chooses, and starts it again.
func faults(ctx context.Context, cfg *config) (string, error) {
	folder := filepath.Join(cfg.folder, "faults")
	killed := 0
	figures, err := cfg.survive(ctx, folder, len(points)*10, func(round int, p *program) (*program, error) {
		p.interrupt()
		point := points[round%len(points)]
		killed++
		return cfg.dev(folder, "AGORA_FAULTS="+point+"=kill@0.2", fmt.Sprint("AGORA_FAULT_SEED=", cfg.seed+uint64(round)))
	}, func(p *program, _ time.Duration) {
		select {
		case <-p.ended:
		case <-time.After(10 * time.Second):
			p.kill()
		}
	})
	return fmt.Sprintf("kill -9 at fault points, %d times over %d points; %s", killed, min(killed, len(points)), figures), err
}

// stops kills the process at random instants.
func stops(ctx context.Context, cfg *config) (string, error) {
	killed := 0
	figures, err := cfg.survive(ctx, filepath.Join(cfg.folder, "stops"), 100, func(_ int, p *program) (*program, error) {
		killed++
		return p, nil
	}, func(p *program, moment time.Duration) {
		time.Sleep(moment)
		p.kill()
	})
	return fmt.Sprintf("kill -9 at random instants, %d times; %s", killed, figures), err
}

// survive has buyers order while the shop dies in rounds, as long as cfg says, and checks all orders at the end of each.
func (cfg *config) survive(ctx context.Context, folder string, rounds int, arm func(round int, p *program) (*program, error), die func(p *program, moment time.Duration)) (string, error) {
	p, err := cfg.dev(folder)
	if err != nil {
		return "", err
	}
	defer func() { p.kill() }()
	m, err := openMarket(ctx, p.url, 100_000, 4)
	if err != nil {
		return "", err
	}
	m.cards = []string{"tok_ok", "tok_ok", "tok_decline", "tok_timeout_ok"}
	var slowest time.Duration
	loggedIn := time.Now()
	var all, last outcome
	for round, begun := 0, time.Now(); round < rounds && (round == 0 || time.Since(begun) < cfg.length); round++ {
		if p, err = arm(round, p); err != nil {
			return all.String(), err
		}
		m.moveTo(p.url)
		trading, stop := context.WithCancel(ctx)
		traded := make(chan struct{})
		go func() {
			defer close(traded)
			m.trade(trading)
		}()
		die(p, time.Duration(cfg.random.Int64N(int64(1500*time.Millisecond))))
		stop()
		<-traded
		if p, err = cfg.dev(folder); err != nil {
			return all.String(), err
		}
		m.moveTo(p.url)
		if time.Since(loggedIn) > 3*time.Minute { // access tokens last for five
			if err := m.loginAgain(ctx); err != nil {
				return all.String(), err
			}
			loggedIn = time.Now()
		}
		if last, err = m.checkRound(ctx); err != nil {
			return all.String(), err
		}
		all = all.plus(last)
		took, err := cfg.audit(ctx, "--data", folder)
		if slowest = max(slowest, took); err != nil {
			return all.String(), err
		}
	}
	return fmt.Sprintf("%v, audit clean after %.1fs at most", all, slowest.Seconds()), nil
}

// checkRound checks the orders of one round, and forgets them.
func (m *market) checkRound(ctx context.Context) (outcome, error) {
	o, err := m.check(ctx)
	m.before += o.confirmed
	m.orders, m.failed = nil, 0
	return o, err
}

// plus adds up outcomes.
func (o outcome) plus(other outcome) outcome {
	return outcome{
		o.sent + other.sent, o.acknowledged + other.acknowledged, o.failed + other.failed,
		o.confirmed + other.confirmed, o.lost + other.lost, max(o.settled, other.settled),
	}
}

// loginAgain gives everybody a new access token.
func (m *market) loginAgain(ctx context.Context) (err error) {
	if m.staff, err = login(ctx, m.url, "staff@agora.example", "staff-horse-battery"); err != nil {
		return err
	}
	for i := range m.buyers {
		if m.buyers[i].client, err = login(ctx, m.url, fmt.Sprintf("%s-%d@agora.example", m.sku, i), "correct-horse-battery"); err != nil {
			return err
		}
	}
	return nil
}
