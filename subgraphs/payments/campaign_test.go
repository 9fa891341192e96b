package payments_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/payments/sandbox"
)

// Every token many times, while a fifth of the provider's answers never come, and its webhooks come twice, out of order,
// forged and stale: nobody is charged twice, and the two books agree. AGORA_CAMPAIGN=1 takes each token 100 times on both
// engines; a greater number, that many times.
func TestNoChargeIsDoubledHoweverManyAnswersAreLost(t *testing.T) {
	rounds, engines := 1, map[string]func(testing.TB) string{"sqlite": databasetest.SQLite}
	if n, err := strconv.Atoi(os.Getenv("AGORA_CAMPAIGN")); err == nil && n > 0 {
		rounds, engines["postgres"] = n, databasetest.Postgres
		if n == 1 {
			rounds = 100
		}
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, open(t), open(t), true)
			b.sandbox.Close()
			b.provider.Provider = b.openSandbox(sandbox.Config{Database: open(t), Lost: 200, Seed: 1}, true)
			b.cfg.ProviderTimeout = 300 * time.Millisecond
			b.start()
			c := &campaign{bench: b, tokens: map[string]int{}}
			c.run(rounds)
		})
	}
}

// campaign is what happened in one.
type campaign struct {
	*bench
	payments, refused                 atomic.Int64
	forged, stale, repeated, outdated atomic.Int64

	mu     sync.Mutex
	tokens map[string]int
}

func (c *campaign) run(rounds int) {
	ended := make(chan struct{})
	defer close(ended)
	go func() { // nobody looks at the events
		for {
			select {
			case <-c.events:
			case <-ended:
				return
			}
		}
	}()
	stop := c.bench.run()
	attacks := make(chan struct{})
	var attackers, buyers sync.WaitGroup
	attackers.Go(func() { c.attack(attacks) })
	slots := make(chan struct{}, 16)
	for range rounds {
		for _, token := range sandbox.Tokens() {
			slots <- struct{}{}
			buyers.Go(func() {
				defer func() { <-slots }()
				c.buy(token)
				c.mu.Lock()
				defer c.mu.Unlock()
				c.tokens[token]++
			})
		}
	}
	buyers.Wait()
	deadline := time.Now().Add(time.Minute)
	for c.unresolved() > 0 && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	close(attacks)
	attackers.Wait()
	stop()
	c.clock.turn(2 * time.Minute) // what is held for a minute has lapsed
	stop = c.bench.run()
	eventually(c.t, "every outcome is known", func() bool { return c.unresolved() == 0 && c.agree() })
	stop()
	c.compareBooks()
	c.report(rounds)
}

// buy is a payment with all that may happen to it, each command asked for again until it has an outcome.
func (c *campaign) buy(token string) {
	orderID := id.New(id.Order)
	c.payments.Add(1)
	authorized := c.insist("paymentAuthorize", payment(orderID, token, orderID))
	p := authorized.Payment
	if authorized.status() == "REQUIRES_ACTION" {
		confirmed := c.again(func() shown { return c.do("confirm", p.ID, orderID+"confirm") })
		authorized = confirmed
	}
	if authorized.status() != "AUTHORIZED" {
		c.refused.Add(1)
		return
	}
	switch rand.IntN(4) {
	case 0:
		c.again(func() shown { return c.do("void", p.ID, orderID+"void") })
	case 1:
		c.again(func() shown {
			return c.mutate("paymentCapture", "", map[string]any{"paymentId": p.ID, "amountMinorUnits": 1500, "idempotencyKey": orderID + "capture"})
		})
	default:
		c.again(func() shown { return c.do("capture", p.ID, orderID+"capture") })
		c.again(func() shown { return c.do("refund part", p.ID, orderID+"part") })
		c.again(func() shown { return c.do("refund", p.ID, orderID+"refund") })
	}
}

func (c *campaign) insist(field string, input map[string]any) shown {
	return c.again(func() shown { return c.mutate(field, "", input) })
}

// again asks until there is an outcome.
func (c *campaign) again(ask func() shown) shown {
	for {
		got := ask()
		switch {
		case got.status() == "UNKNOWN", got.status() == "PROCESSING", got.code() == "IDEMPOTENCY_IN_PROGRESS":
			time.Sleep(20 * time.Millisecond)
		default:
			return got
		}
	}
}

// attack sends webhooks again that came before, and others that never should have.
func (c *campaign) attack(stop chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(5 * time.Millisecond):
		}
		all := c.hearings()
		if len(all) == 0 {
			continue
		}
		h := all[rand.IntN(len(all))]
		if c.notify(h) == http.StatusNoContent {
			c.repeated.Add(1)
		}
		// What was so once, in a webhook that was never heard before.
		again := heard{http.Header{}, slices.Clone(h.body)}
		if err := webhook.Sign(again.header, fmt.Sprint("again", i), c.clock.now(), again.body, webhookSecret); err != nil {
			c.t.Error(err)
		}
		if c.notify(again) == http.StatusNoContent {
			c.outdated.Add(1)
		}
		for at, kind := range map[time.Duration]*atomic.Int64{0: &c.forged, -time.Hour: &c.stale} {
			secret := webhookSecret
			if at == 0 {
				secret = webhook.NewSecret()
			}
			lie := heard{http.Header{}, slices.Clone(h.body)}
			if err := webhook.Sign(lie.header, fmt.Sprint("lie", i), c.clock.now().Add(at), lie.body, secret); err != nil {
				c.t.Error(err)
			}
			if got := c.notify(lie); got != http.StatusUnauthorized {
				c.t.Errorf("a lie was answered with %d", got)
			}
			kind.Add(1)
		}
	}
}

// agree reports whether both books say the same.
func (c *campaign) agree() bool {
	ours, err := c.service.Balances(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	theirs, err := c.sandbox.Book(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return slices.Equal(holding(ours), holding(theirs))
}

// disorder counts the webhooks that the provider sent more than once, and those that came behind a later one of their charge.
func (c *campaign) disorder() (twice, behind int) {
	seen, latest := map[string]bool{}, map[string]int64{}
	for _, h := range c.hearings() {
		var n struct {
			Data struct {
				Charge   string
				Sequence int64
			}
		}
		if err := json.Unmarshal(h.body, &n); err != nil {
			c.t.Fatal(err)
		}
		messageID := h.header.Get("webhook-id")
		switch {
		case seen[messageID]:
			twice++
		case n.Data.Sequence < latest[n.Data.Charge]:
			behind++
		}
		seen[messageID], latest[n.Data.Charge] = true, max(latest[n.Data.Charge], n.Data.Sequence)
	}
	return twice, behind
}

func (c *campaign) report(rounds int) {
	c.t.Helper()
	theirs, err := c.sandbox.Book(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	var captured, authorized int64
	double := 0
	for _, row := range theirs {
		captured, authorized = captured+row.Captured, authorized+row.Authorized
		if row.Captured+row.Authorized > 2100 {
			double++
		}
	}
	if double > 0 {
		c.t.Errorf("%d orders are charged twice", double)
	}
	for _, token := range sandbox.Tokens() {
		if c.tokens[token] != rounds {
			c.t.Errorf("%s was tried %d times, want %d", token, c.tokens[token], rounds)
		}
	}
	c.t.Logf("%d tokens %d times each: %d payments (%d refused), %d orders in the provider's book, %d charged twice; held %d, taken %d in both books",
		len(c.tokens), rounds, c.payments.Load(), c.refused.Load(), len(theirs), double, authorized, captured)
	requests, unanswered := c.requests.Load(), c.unanswered.Load()
	c.t.Logf("%d of %d requests to the provider timed out (%d %%)", unanswered, requests, 100*unanswered/max(requests, 1))
	twice, behind := c.disorder()
	kinds := map[string]int64{"duplicate": int64(twice) + c.repeated.Load(), "reordered": int64(behind), "outdated": c.outdated.Load(), "forged": c.forged.Load(), "stale": c.stale.Load()}
	for kind, n := range kinds {
		if n == 0 && rounds > 1 { // in a single round that is chance
			c.t.Errorf("no webhook was %s", kind)
		}
	}
	if 10*unanswered < requests {
		c.t.Errorf("%d of %d requests timed out: a fifth of the answers should be lost", unanswered, requests)
	}
	c.t.Logf("webhooks: %d heard; %d duplicate, %d behind a later one, %d of what was so once; %d forged and %d stale ones, all of them refused",
		len(c.hearings()), kinds["duplicate"], behind, c.outdated.Load(), c.forged.Load(), c.stale.Load())
}
