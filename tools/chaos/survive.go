package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// The numbers of what a shop survives.
const (
	seedsPerPoint = 10
	stopTimes     = 100
)

// point is a place where a shop can be made to die, and the probability with which it does.
type point struct {
	name        string
	probability float64
}

// points are the fault points that trade goes by: on the way of an order when an answer is there and not yet recorded and
// when it is, before and behind each commit of any service, and around the delivery of an event.
var points = []point{
	{"orders.placing", 0.2},
	{"orders.placed", 0.2},
	{"orders.reserved", 0.2},
	{"orders.reserved.recorded", 0.2},
	{"orders.authorized", 0.2},
	{"orders.authorized.recorded", 0.2},
	{"orders.committed", 0.2},
	{"orders.committed.recorded", 0.2},
	{"orders.captured", 0.2},
	{"orders.captured.recorded", 0.2},
	{"orders.awaited", 1},
	{"orders.awaited.recorded", 1},
	{"orders.released", 0.5},
	{"orders.released.recorded", 0.5},
	{"orders.voided", 1},
	{"orders.voided.recorded", 1},
	{"orders.restocked", 0.5},
	{"orders.restocked.recorded", 0.5},
	{"orders.refunded", 0.5},
	{"orders.refunded.recorded", 0.5},
	{"orders.repaid", 0.5},
	{"orders.repaid.recorded", 0.5},
	{"orders.reshelved", 0.5},
	{"orders.reshelved.recorded", 0.5},
	{"payments.intended", 0.1},
	{"payments.asked", 0.1},
	{"payments.recorded", 0.1},
	{"database.committing", 0.02},
	{"database.committed", 0.02},
	{"event.published", 0.05},
	{"event.applied", 0.05},
	{"subgraph.answered", 0.02},
}

// faults has the process die at each point, at a moment that the seed chooses, and starts it again.
func faults(ctx context.Context, cfg *config, engine string) (string, error) {
	rounds := len(points) * seedsPerPoint
	figures, n, err := cfg.survive(ctx, engine, "faults", rounds, func(round int, s *stand, p *program, _ *rand.Rand) (*program, func(), error) {
		p.interrupt()
		at := points[round%len(points)]
		armed, err := s.open(fmt.Sprintf("AGORA_FAULTS=%s=kill@%g", at.name, at.probability), fmt.Sprint("AGORA_FAULT_SEED=", cfg.seed+uint64(round)))
		if died := (*errEnded)(nil); errors.As(err, &died) { // at its very start
			if armed, err = s.open(); err != nil {
				return nil, nil, err
			}
			return armed, armed.killAfter(0), nil
		}
		if err != nil {
			return nil, nil, err
		}
		return armed, armed.killAfter(10 * time.Second), nil
	})
	return fmt.Sprintf("kill -9 at fault points, %d times over %d points; %s", n, min(n, len(points)), figures), err
}

// stops kills the process at random instants.
func stops(ctx context.Context, cfg *config, engine string) (string, error) {
	figures, n, err := cfg.survive(ctx, engine, "stops", stopTimes, func(_ int, _ *stand, p *program, random *rand.Rand) (*program, func(), error) {
		return p, p.killAfter(time.Duration(random.Int64N(int64(1500 * time.Millisecond)))), nil
	})
	return fmt.Sprintf("kill -9 at random instants, %d times; %s", n, figures), err
}

// killAfter returns what waits until the program is dead: by itself, or killed after a while.
func (p *program) killAfter(d time.Duration) func() {
	return func() {
		select {
		case <-p.ended:
		case <-time.After(d):
			p.kill()
		}
	}
}

// arm prepares a round: the program that is going to die, and what waits until it has.
type arm func(round int, s *stand, p *program, random *rand.Rand) (*program, func(), error)

// survive has buyers order while the shop dies in rounds, and checks all orders at the end of each. Several shops go
// through the rounds side by side, each on data of its own.
func (cfg *config) survive(ctx context.Context, engine, name string, rounds int, arm arm) (figures string, n int, err error) {
	var mu sync.Mutex
	var all outcome
	var slowest time.Duration
	begun := time.Now()
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil || !cfg.goesOn(begun, n, rounds) {
			return 0, false
		}
		n++
		return n - 1, true
	}
	var wg sync.WaitGroup
	for worker := range cfg.workers {
		wg.Go(func() {
			broken := cfg.mortal(ctx, engine, fmt.Sprint(name, worker), take, arm, func(o outcome, took time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				all, slowest = all.plus(o), max(slowest, took)
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				err = broken
			}
		})
	}
	wg.Wait()
	return fmt.Sprintf("%v at most, audit clean after %.1fs at most", all, slowest.Seconds()), n, err
}

// mortal takes rounds in one shop until there are none left.
func (cfg *config) mortal(ctx context.Context, engine, name string, take func() (int, bool), arm arm, tell func(outcome, time.Duration)) error {
	s, err := cfg.newStand(ctx, engine, name)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	p, err := s.open()
	if err != nil {
		return err
	}
	defer func() { p.kill() }()
	m, err := openMarket(ctx, p.url, 100_000, 4)
	if err != nil {
		return err
	}
	m.cards = []string{"tok_ok", "tok_ok", "tok_decline", "tok_timeout_ok", "tok_ok", "tok_ok", "tok_3ds_ok", "tok_ok", "tok_capture_fail"}
	for round, more := take(); more; round, more = take() {
		doomed, die, err := arm(round, s, p, rand.New(rand.NewPCG(cfg.seed, uint64(round))))
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if p, err = m.round(ctx, s, doomed, die, tell); err != nil {
			return fmt.Errorf("round %d: %w; the shop said: %s", round, err, p.said())
		}
	}
	return nil
}

// round trades until the shop is dead, opens it again, and checks what became of all orders and that the books agree.
func (m *market) round(ctx context.Context, s *stand, doomed *program, die func(), tell func(outcome, time.Duration)) (*program, error) {
	m.moveTo(doomed.url)
	trading, stop := context.WithCancel(ctx)
	traded := make(chan struct{})
	go func() {
		defer close(traded)
		m.trade(trading)
	}()
	die()
	stop()
	<-traded
	p, err := s.open()
	if err != nil {
		return doomed, err
	}
	m.moveTo(p.url)
	if err := m.stayLoggedIn(ctx); err != nil {
		return p, err
	}
	o, err := m.checkRound(ctx)
	if err != nil {
		return p, fmt.Errorf("%v: %w", o, err)
	}
	took, err := s.audit(ctx)
	if err == nil {
		tell(o, took)
	}
	return p, err
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
