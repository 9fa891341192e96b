// Package eventtest says what every event.Bus has to do, as tests that each driver runs.
package eventtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event"
)

// Driver is a kind of bus under test.
type Driver struct {
	// Open returns the bus as each process of a new system sees it, and what runs it: several processes only if
	// Processes is more than one.
	Open func(t *testing.T) func() Process
	// Processes is how many may share a consumer.
	Processes int
}

// Process is one process's end of a bus.
type Process struct {
	event.Bus
	// Run delivers events until ctx ends.
	Run func(ctx context.Context) error
}

// source is that of all events of these tests.
const source = "agora/test"

// patience bounds how long a test waits for what has to happen.
const patience = 30 * time.Second

// Run runs all tests.
func Run(t *testing.T, d Driver) {
	t.Run("a batch reaches every consumer whole and in order", d.batch)
	t.Run("events that wait together are handed over together, and one by one if that fails", d.together)
	t.Run("what fails comes again and counts its attempts", d.redelivery)
	t.Run("events of other sources are not delivered", d.sources)
	t.Run("replicas apply every event once and each subject in order", d.replicas)
	t.Run("nothing is lost when a process ends and begins again", d.restart)
}

// heard is what consumers have got.
type heard struct {
	mu  sync.Mutex
	all map[string][]string
}

func (h *heard) add(who, what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[string][]string{}
	}
	h.all[who] = append(h.all[who], what)
}

func (h *heard) of(who string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all[who])
}

// await waits until somebody has heard n things, and a little longer, so that what is too much is seen.
func (h *heard) await(t *testing.T, who string, n int) []string {
	t.Helper()
	for deadline := time.Now().Add(patience); len(h.of(who)) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s has heard %d of %d: %v", who, len(h.of(who)), n, h.of(who))
		}
	}
	time.Sleep(20 * time.Millisecond)
	return h.of(who)
}

// run runs something until the test or the returned function ends it.
func run(t *testing.T, fn func(ctx context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// events are the next ones of a subject.
func events(subject string, from, n int) []event.Event {
	var list []event.Event
	for i := range n {
		e := event.New("agora.test.thing.happened.v1", subject, map[string]int{"n": from + i})
		e.Source, e.Sequence, e.Time = source, int64(from+i), time.Now()
		list = append(list, e)
	}
	return list
}

func name(e event.Event) string { return fmt.Sprint(e.Subject, " ", e.Sequence) }

func (d Driver) batch(t *testing.T) {
	p, h := d.Open(t)(), &heard{}
	for _, consumer := range []string{"test.a", "test.b"} {
		p.Subscribe(consumer, []string{source}, func(_ context.Context, d event.Delivery) error {
			h.add(consumer, name(d.Event)+" "+string(d.Data))
			return nil
		})
	}
	run(t, p.Run)
	if err := p.Publish(t.Context(), events("one", 1, 100)); err != nil {
		t.Fatal(err)
	}
	var want []string
	for n := range 100 {
		want = append(want, fmt.Sprintf(`one %d {"n":%d}`, n+1, n+1))
	}
	for _, consumer := range []string{"test.a", "test.b"} {
		if diff := cmp.Diff(want, h.await(t, consumer, 100)); diff != "" {
			t.Errorf("%s:\n%s", consumer, diff)
		}
	}
}

func (d Driver) together(t *testing.T) {
	p, h := d.Open(t)(), &heard{}
	p.Subscribe("test.c", []string{source}, func(_ context.Context, d event.Delivery) error {
		h.add("events", name(d.Event))
		return nil
	}, func(_ context.Context, batch []event.Delivery) error {
		for _, d := range batch {
			if d.Subject == "bad" {
				h.add("refused", name(d.Event))
				return errors.New("not together")
			}
		}
		for _, d := range batch {
			h.add("events", name(d.Event))
		}
		h.add("batches", fmt.Sprint(len(batch)))
		return nil
	})
	// All are there before the first is read.
	if err := p.Publish(t.Context(), slices.Concat(events("good", 1, 20), events("bad", 1, 2), events("good", 21, 20))); err != nil {
		t.Fatal(err)
	}
	run(t, p.Run)
	if err := p.Publish(t.Context(), events("good", 41, 40)); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, e := range slices.Concat(events("good", 1, 20), events("bad", 1, 2), events("good", 21, 60)) {
		want = append(want, name(e))
	}
	if diff := cmp.Diff(want, h.await(t, "events", 82)); diff != "" {
		t.Error(diff)
	}
	h.await(t, "refused", 1)
	h.await(t, "batches", 1)
}

func (d Driver) redelivery(t *testing.T) {
	p, h := d.Open(t)(), &heard{}
	p.Subscribe("test.c", []string{source}, func(_ context.Context, d event.Delivery) error {
		h.add("attempts", fmt.Sprint(name(d.Event), " try ", d.Attempt))
		if d.Attempt < 4 {
			return errors.New("not now")
		}
		return nil
	})
	run(t, p.Run)
	if err := p.Publish(t.Context(), events("one", 1, 1)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one 1 try 1", "one 1 try 2", "one 1 try 3", "one 1 try 4"}, h.await(t, "attempts", 4)); diff != "" {
		t.Error(diff)
	}
}

func (d Driver) sources(t *testing.T) {
	p, h := d.Open(t)(), &heard{}
	p.Subscribe("test.c", []string{"agora/other", source}, func(_ context.Context, d event.Delivery) error {
		h.add("c", d.Source)
		return nil
	})
	p.Subscribe("test.d", []string{"agora/other"}, func(_ context.Context, d event.Delivery) error {
		t.Errorf("%s reached a consumer of another source", name(d.Event))
		return nil
	})
	run(t, p.Run)
	if err := p.Publish(t.Context(), events("one", 1, 1)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); !slices.Contains(h.of("c"), source); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the event was not delivered")
		}
	}
}

// service is one with an outbox and a consumer of its own events, in as many processes as there are. What the consumer does is in
// its database, in the order of the commits: those who are told of it behind a commit hear of it in any order.
type service struct {
	db     *database.DB
	outbox *event.Outbox
	heard  heard
}

func newService(t *testing.T) *service {
	t.Helper()
	effects := fstest.MapFS{"0100_effect.sql": {Data: []byte("-- +goose Up\nCREATE TABLE effect (n INTEGER PRIMARY KEY, subject TEXT NOT NULL, name TEXT NOT NULL);")}}
	db, err := database.Open(t.Context(), databasetest.SQLite(t), event.Migrations(), effects)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &service{db: db, outbox: event.NewOutbox(db, source)}
}

// begin runs a process of the service; its consumer fails now and then.
func (s *service) begin(t *testing.T, p Process) (stop func()) {
	t.Helper()
	var mu sync.Mutex
	calls := 0
	c := &event.Consumer{
		DB: s.db, Name: "test.service",
		Apply: func(ctx context.Context, tx *database.Tx, e event.Event) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO effect (subject, name) VALUES ($1, $2)`, e.Subject, name(e)); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls%7 == 0 {
				return errors.New("every seventh fails")
			}
			return nil
		},
		Applied: func(_ context.Context, e event.Event) { s.heard.add(e.Subject, name(e)) },
	}
	p.Subscribe(c.Name, []string{source}, c.Handle)
	stopRun := run(t, p.Run)
	stopRelay := run(t, func(ctx context.Context) error {
		return s.outbox.Relay(ctx, p.Bus, slog.New(slog.DiscardHandler))
	})
	return func() { stopRelay(); stopRun() }
}

// say appends an event to each subject, rounds times.
func (s *service) say(t *testing.T, subjects []string, rounds int) {
	t.Helper()
	for range rounds {
		err := s.db.Tx(t.Context(), func(tx *database.Tx) error {
			for _, subject := range subjects {
				if err := s.outbox.Append(t.Context(), tx, event.New("agora.test.thing.happened.v1", subject, nil)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.outbox.Wake()
}

// check waits until each subject's events were applied, once each.
func (s *service) check(t *testing.T, subjects []string, n int) {
	t.Helper()
	for _, subject := range subjects {
		var want []string
		for i := range n {
			want = append(want, fmt.Sprint(subject, " ", i+1))
		}
		told := slices.Sorted(slices.Values(s.heard.await(t, subject, n)))
		var done []string
		if err := s.db.Read.Select(&done, `SELECT name FROM effect WHERE subject = $1 ORDER BY n`, subject); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, done); diff != "" {
			t.Errorf("%s:\n%s", subject, diff)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), told); diff != "" {
			t.Errorf("%s, as it was told:\n%s", subject, diff)
		}
	}
}

func (d Driver) replicas(t *testing.T) {
	s, system, subjects := newService(t), d.Open(t), []string{"one", "two", "three"}
	for range d.Processes {
		s.begin(t, system())
	}
	s.say(t, subjects, 20)
	s.check(t, subjects, 20)
	if _, err := event.Replay(t.Context(), s.db, time.Time{}); err != nil {
		t.Fatal(err)
	}
	s.say(t, subjects, 5)
	s.check(t, subjects, 25)
}

func (d Driver) restart(t *testing.T) {
	s, system, subjects := newService(t), d.Open(t), []string{"one", "two"}
	for round := range 3 {
		stop := s.begin(t, system())
		s.say(t, subjects, 10)
		if round < 2 {
			stop() // in the middle of it, as a rule
		}
	}
	s.check(t, subjects, 30)
}
