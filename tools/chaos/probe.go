package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// probe is a query that people send all the time. Its parts are what it shows of each service, by path: where one service
// can't answer, those of all others are there, but for root's, in whose object all parts stand.
type probe struct {
	name, query, root string
	parts             map[string]string
	// stores are those that it needs besides, when caches are warm, and caches those without which it takes longer and loses
	// nothing.
	stores, caches []string
}

// probes are asked by the first buyer. Their variables are $product, the slug of one that nobody orders, and $order.
var probes = []probe{
	{name: "router", query: `query Router { __typename }`},
	{
		name: "product", root: "products", caches: []string{"redis"},
		query: `query Product($product: String!) { product(slug: $product) { name } }`,
		parts: map[string]string{"products": "product.name"},
	},
	{
		name: "page", root: "products", caches: []string{"redis"},
		query: pageQuery,
		parts: map[string]string{"products": "product.name", "inventory": "product.variants.0.availability.status"},
	},
	{
		name: "search", root: "products", stores: []string{"postgres"},
		query: `query Search { products(query: "pot", first: 5) { edges { node { name } } } }`,
		parts: map[string]string{"products": "products.edges.0.node.name"},
	},
	{
		name: "account", root: "users", stores: []string{"postgres"},
		query: `query Account { me { displayName } }`,
		parts: map[string]string{"users": "me.displayName"},
	},
	{
		name: "order", root: "orders", stores: []string{"postgres"},
		query: `query Order($order: ID!) { order(id: $order) { status payments { status } } }`,
		parts: map[string]string{"orders": "order.status", "payments": "order.payments.0.status"},
	},
}

// touches reports whether it shows something of any of some services, or uses some stores.
func (p probe) touches(broken []string) bool {
	return p.needs(broken) || slices.ContainsFunc(broken, func(name string) bool { return p.parts[name] != "" || slices.Contains(p.caches, name) })
}

// needs reports whether nothing of it may be there while something is broken: a store, or a router.
func (p probe) needs(broken []string) bool {
	return slices.ContainsFunc(broken, func(name string) bool { return name == "router" || slices.Contains(p.stores, name) })
}

// seen is what became of a probe's requests in one state of the shop.
type seen struct {
	took                 []time.Duration
	whole, partial, none int
	// missing is what was not there although its service was.
	missing string
}

// watch asks all probes over and over, and notes what becomes of them while the shop is whole and while it is broken.
type watch struct {
	// broken are the names of what is broken now.
	broken atomic.Pointer[[]string]

	mu sync.Mutex
	// seen is by probe, and by whether something was broken that it touches, that it doesn't, or nothing was.
	seen map[string]map[string]*seen
}

// The states of the shop, for a probe.
const (
	nothingBroken = "whole"
	elsewhere     = "elsewhere"
	touched       = "touched"
)

// breaks says that services or stores are broken from now on, or none.
func (w *watch) breaks(names ...string) { w.broken.Store(&names) }

// names are those of what is broken.
func (w *watch) names() []string {
	if broken := w.broken.Load(); broken != nil {
		return *broken
	}
	return nil
}

func (w *watch) state(p probe) string {
	broken := w.names()
	switch {
	case len(broken) == 0:
		return nothingBroken
	case p.touches(broken):
		return touched
	}
	return elsewhere
}

// probePause is how long each probe waits behind an answer.
const probePause = 150 * time.Millisecond

// run asks until ctx ends.
func (w *watch) run(ctx context.Context, m *market, variables map[string]any) {
	var wg sync.WaitGroup
	for _, p := range probes {
		wg.Go(func() {
			for ; ctx.Err() == nil; wait(ctx, probePause) {
				buyer := m.as(ctx, 0)
				state, asked := w.state(p), time.Now()
				data, err := buyer.send(context.WithoutCancel(ctx), p.query, variables)
				if unanswered := new(url.Error); errors.As(err, &unanswered) && errors.Is(unanswered, io.EOF) {
					// A kept connection ended as the query went out: browsers ask again, too.
					data, err = buyer.send(context.WithoutCancel(ctx), p.query, variables)
				}
				if took := time.Since(asked); state == w.state(p) { // else it is of neither
					w.note(p, state, took, data, err)
				}
			}
		})
	}
	wg.Wait()
}

func (w *watch) note(p probe, state string, took time.Duration, data map[string]any, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[string]map[string]*seen{}
	}
	if w.seen[p.name] == nil {
		w.seen[p.name] = map[string]*seen{nothingBroken: {}, elsewhere: {}, touched: {}}
	}
	s := w.seen[p.name][state]
	s.took = append(s.took, took)
	missing := ""
	switch {
	case data == nil:
		s.none++
		missing = fmt.Sprint(err)
	case err != nil:
		s.partial++
		if state != touched {
			missing = err.Error()
		}
	default:
		s.whole++
	}
	broken := w.names()
	for service, path := range p.parts {
		if data != nil && at(data, path) == nil && !slices.Contains(broken, service) && !slices.Contains(broken, p.root) && !p.needs(broken) {
			missing = fmt.Sprintf("%s is missing: %v", path, err)
		}
	}
	if !slices.Contains(broken, "router") {
		s.missing = cmp.Or(s.missing, missing)
	}
}

// quantile is the duration that a part of all are not over.
func quantile(all []time.Duration, part float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(part*float64(len(sorted)-1))]
}

// slower is how many times longer a part of requests took than the same part of others.
func slower(these, others []time.Duration, part float64) float64 {
	return float64(quantile(these, part)) / float64(max(1, quantile(others, part)))
}

// fewRequests is from how many on a median is believed.
const fewRequests = 30

// figures are those of all probes, and an error where what should not have been touched was, or was slower by more than
// maxSlower, if that is not zero.
func (w *watch) figures(maxSlower float64) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []string
	var errs []error
	product, medians := 1.0, 0
	for _, p := range probes {
		all := w.seen[p.name]
		if all == nil {
			continue
		}
		before, away, with := all[nothingBroken], all[elsewhere], all[touched]
		if n := len(away.took); n > 0 {
			median := slower(away.took, before.took, 0.5)
			if n >= fewRequests && len(before.took) >= fewRequests {
				product, medians = product*median, medians+1
			}
			parts = append(parts, fmt.Sprintf("%s, not touching it: %.2f times as slow, p99 %.2f, %d of %d whole", p.name, median, slower(away.took, before.took, 0.99), away.whole, n))
			if away.whole < n {
				errs = append(errs, fmt.Errorf("%s does not touch what is broken: %s", p.name, away.missing))
			}
		}
		if n := len(with.took); n > 0 {
			parts = append(parts, fmt.Sprintf("%s, touching it: %d whole, %d partial, %d without data, p50 %v", p.name, with.whole, with.partial, with.none, quantile(with.took, 0.5).Round(100*time.Microsecond)))
			if with.missing != "" {
				errs = append(errs, fmt.Errorf("%s: %s", p.name, with.missing))
			}
		}
		if before.whole < len(before.took) {
			parts = append(parts, fmt.Sprintf("%s when all is well: %d of %d whole (%s)", p.name, before.whole, len(before.took), before.missing))
		}
	}
	if medians > 0 {
		mean := math.Pow(product, 1/float64(medians))
		parts = append(parts, fmt.Sprintf("all that don't touch it: %.2f times as slow", mean))
		if maxSlower > 0 && mean > maxSlower {
			errs = append(errs, fmt.Errorf("what does not touch it is %.2f times as slow", mean))
		}
	}
	return strings.Join(parts, "; "), errors.Join(errs...)
}
