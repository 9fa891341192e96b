// Package ratelimit bounds what a client may ask in a stretch of time, in units of cost, or in requests where operations
// are not priced.
//
// In goes who asks and how many units that takes; out comes a Verdict, with the headers that tell the client where it
// stands (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers). Each rule keeps a bucket for each client,
// address or subject, by the generic cell rate algorithm: a bucket holds Burst units and is filled evenly. Buckets are in
// the process, or in Redis where several routers share them; while Redis is away each router goes on by itself.
package ratelimit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Config holds the rules. The zero value has none.
type Config struct {
	// Rules are all looked at; each may refuse. A request that one rule refuses has taken units from those before it.
	Rules []Rule
	// Redis is the URL of a Redis by which routers share their buckets: redis://user:password@host:6379/0. Empty means that
	// each router has its own.
	Redis string `format:"uri" schemes:"redis,rediss,unix"`
	// Prefix begins the keys in Redis. Empty means agora.
	Prefix string
	// Timeout bounds a command to Redis. Zero means 50 ms.
	Timeout time.Duration `min:"0s" max:"10s"`
	// MaxBuckets bounds the buckets in the process; those that were not used for longest are forgotten. Zero means 100000.
	MaxBuckets int `min:"0" max:"100000000"`
}

// Rule is a bound.
type Rule struct {
	// Name tells rules apart, in headers, logs and keys; letters, digits, - and _.
	Name string `required:"true"`
	// By says whose units are counted together: those of a client's API key, of an IP address (of IPv6, of a network of 64
	// bits), or of a token's subject. Requests that have none of it are not bound by the rule.
	By string `required:"true" enum:"client,address,subject"`
	// Units may be used within Per: cost where operations are priced, at least 1 a request, else requests.
	Units int `required:"true" min:"1" max:"1000000000"`
	// Per is that time. Zero means 1 min.
	Per time.Duration `min:"0s" max:"24h"`
	// Burst is how many units may be used at once. Zero means all of them.
	Burst int `min:"0" max:"1000000000"`
	// Clients have other units, by the name of their API key; only for rules by client.
	Clients map[string]int `min:"1" max:"1000000000"`
}

// Caller is who a request comes from. Each member may be empty.
type Caller struct {
	// Client is the client that an API key proves.
	Client string
	// Address is the IP address.
	Address string
	// Subject is that of the access token, with its issuer.
	Subject string
}

// Verdict says whether a request may go on.
type Verdict struct {
	// Rule is the one that refuses; empty if none does.
	Rule string
	// RetryAfter is how long it will take until the same request may go on; zero if it is more than a bucket holds.
	RetryAfter time.Duration

	// policies and standings are the values of the headers about the caller's rules; they may be shared.
	policies, standings []string
}

// limit is a rule for one caller.
type limit struct {
	name, key string
	units     int
	per       time.Duration
	burst     int
	// policy is the value of the header RateLimit-Policy; clipped, and never changed.
	policy []string
	// told is what the last caller was told: many stand where the one before stood.
	told *atomic.Pointer[standing]
}

// standing is the value of the header RateLimit for a bucket.
type standing struct {
	left   int
	reset  int64
	values []string
}

// taken is the state of a bucket after units were asked of it.
type taken struct {
	ok                bool
	left              int
	retryAfter, reset time.Duration
}

// store keeps buckets.
type store interface {
	take(ctx context.Context, l limit, units int) (taken, error)
}

// Limiter applies rules. It is safe for concurrent use.
type Limiter struct {
	rules []rule
	store store
}

// rule is a Rule ready for use.
type rule struct {
	Rule
	// all is the limit of those who have none of their own, clients are that of others by name; without a key.
	all     limit
	clients map[string]limit
}

// Validate says everything in c that can't work.
func (c Config) Validate() error {
	var errs []error
	var names []string
	for i, r := range c.Rules {
		at := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("rate_limit.rules[%d]: %s", i, fmt.Sprintf(format, args...)))
		}
		if r.Name == "" || strings.Trim(r.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			at("name %q: expected letters, digits, - and _", r.Name)
		}
		if slices.Contains(names, r.Name) {
			at("name %q is taken by another rule", r.Name)
		}
		names = append(names, r.Name)
		if !slices.Contains([]string{"client", "address", "subject"}, r.By) {
			at("by %q: expected client, address or subject", r.By)
		}
		if r.Units <= 0 {
			at("units: expected a number above 0")
		}
		if len(r.Clients) > 0 && r.By != "client" {
			at("clients belong to rules by client")
		}
	}
	return errors.Join(errs...)
}

// New makes the limiter of cfg, or says what in it can't work. It connects to nobody yet.
func New(cfg Config) (*Limiter, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	memory, err := newMemory(cmp.Or(cfg.MaxBuckets, 100_000))
	if err != nil {
		return nil, err
	}
	l := &Limiter{store: memory}
	for _, r := range cfg.Rules {
		l.rules = append(l.rules, compile(r))
	}
	if cfg.Redis != "" {
		if l.store, err = newShared(cfg, memory); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Close ends the connections to Redis.
func (l *Limiter) Close() error {
	if s, ok := l.store.(*shared); ok {
		return s.client.Close()
	}
	return nil
}

func compile(r Rule) rule {
	made := rule{Rule: r, all: r.limit(r.Units), clients: map[string]limit{}}
	for name, units := range r.Clients {
		made.clients[name] = r.limit(units)
	}
	return made
}

// limit is that of a rule with so many units.
func (r Rule) limit(units int) limit {
	l := limit{name: r.Name, units: units, per: cmp.Or(r.Per, time.Minute), burst: cmp.Or(r.Burst, units)}
	window := strconv.FormatInt(seconds(l.per), 10)
	l.told = new(atomic.Pointer[standing])
	l.policy = []string{`"` + l.name + `";q=` + strconv.Itoa(l.units) + `;w=` + window}
	return l
}

// Take asks all rules for units, at least one, rounded up.
func (l *Limiter) Take(ctx context.Context, caller Caller, units float64) Verdict {
	n := int(min(max(1, math.Ceil(units)), math.MaxInt32))
	var v Verdict
	for i := range l.rules {
		rule, ok := l.rules[i].of(caller)
		if !ok {
			continue
		}
		t, err := l.store.take(ctx, rule, n)
		if err != nil {
			continue // only with ctx: nobody waits for the verdict any more
		}
		v.tell(rule, t)
		if !t.ok {
			v.refuse(rule, n, t)
			return v
		}
	}
	return v
}

// of is the rule for a caller, if it binds it.
func (r *rule) of(caller Caller) (limit, bool) {
	l := r.all
	switch r.By {
	case "client":
		if own, ok := r.clients[caller.Client]; ok {
			l = own
		}
		l.key = caller.Client
	case "address":
		l.key = network(caller.Address)
	case "subject":
		l.key = caller.Subject
	}
	return l, l.key != "" && l.units > 0
}

// network is what a client can be told by: an IPv4 address, or the network that one customer has in IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip.Is4() {
		return address // there is one way to write it
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}

// The canonical names of the headers.
const (
	headerPolicy = "Ratelimit-Policy"
	headerLimit  = "Ratelimit"
)

// Binds says whether any rule binds the client: without one, it is told nothing.
func (v *Verdict) Binds() bool { return v.policies != nil }

// AddTo tells the client about its rules in a header, with values that are shared.
func (v *Verdict) AddTo(header http.Header) {
	if !v.Binds() {
		return
	}
	header[headerPolicy], header[headerLimit] = v.policies, v.standings
	if v.RetryAfter > 0 {
		header["Retry-After"] = []string{strconv.FormatInt(max(1, seconds(v.RetryAfter)), 10)}
	}
}

// tell adds what a rule says.
func (v *Verdict) tell(l limit, t taken) {
	standing := l.standing(t.left, seconds(t.reset))
	if v.policies == nil {
		v.policies, v.standings = l.policy, standing
		return
	}
	v.policies = append(v.policies, l.policy...)
	v.standings = append(v.standings, standing...)
}

// standing is the value of the header RateLimit; clipped, and never changed.
func (l *limit) standing(left int, reset int64) []string {
	if last := l.told.Load(); last != nil && last.left == left && last.reset == reset {
		return last.values
	}
	b := make([]byte, 0, 64)
	b = append(append(append(b, '"'), l.name...), `";r=`...)
	b = append(strconv.AppendInt(b, int64(left), 10), `;t=`...)
	b = strconv.AppendInt(b, reset, 10)
	values := []string{string(b)}
	l.told.Store(&standing{left, reset, values})
	return values
}

func (v *Verdict) refuse(l limit, units int, t taken) {
	v.Rule = l.name
	if units > l.burst {
		return
	}
	v.RetryAfter = max(t.retryAfter, time.Millisecond)
}

func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }
