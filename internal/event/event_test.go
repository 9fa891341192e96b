package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

// station is a service that says and hears.
type station struct {
	*testing.T
	db     *database.DB
	outbox *Outbox

	mu    sync.Mutex
	heard []string
}

func newStation(t *testing.T, url string) *station {
	db, err := database.Open(t.Context(), url, Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &station{T: t, db: db, outbox: NewOutbox(db, "agora/test")}
}

// say appends events in one transaction, which fails if err is not nil.
func (s *station) say(err error, events ...Event) {
	s.Helper()
	got := s.db.Tx(s.Context(), func(tx *database.Tx) error {
		if e := s.outbox.Append(s.Context(), tx, events...); e != nil {
			return e
		}
		return err
	})
	if !errors.Is(got, err) {
		s.Fatal(got)
	}
	s.outbox.Wake()
}

// consumer hears events, and notes those that it applied after their commit.
func (s *station) consumer(name string, apply func(e Event) error) *Consumer {
	return &Consumer{
		DB: s.db, Name: name, MaxAttempts: 3, Patience: time.Nanosecond,
		Apply: func(_ context.Context, _ *database.Tx, e Event) error { return apply(e) },
		Applied: func(_ context.Context, e Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.heard = append(s.heard, fmt.Sprintf("%s %s %d", name, e.Subject, e.Sequence))
		},
	}
}

// relay publishes until n events were applied.
func (s *station) relay(bus *Local, n int) []string {
	s.Helper()
	bus.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(s.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.outbox.Relay(ctx, bus, bus.Log) })
	defer wg.Wait()
	defer cancel()
	for range 500 {
		s.mu.Lock()
		heard := append([]string(nil), s.heard...)
		s.mu.Unlock()
		if len(heard) >= n && s.unpublished() == 0 {
			return heard
		}
		s.outbox.Wake()
		time.Sleep(10 * time.Millisecond)
	}
	s.Fatalf("heard %v, want %d events", s.heard, n)
	return nil
}

func (s *station) unpublished() (n int) {
	if err := s.db.Read.Get(&n, `SELECT COUNT(*) FROM outbox WHERE published_us IS NULL`); err != nil {
		s.Fatal(err)
	}
	return n
}

// waited lets time pass for what is parked.
func (s *station) waited(d time.Duration) {
	err := s.db.Tx(s.Context(), func(tx *database.Tx) error {
		_, err := tx.ExecContext(s.Context(), `UPDATE parked SET due_us = due_us - $1`, d.Microseconds())
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

// handler hands a consumer an event of a subject, from the bus or from where it is parked.
func (s *station) handler(c *Consumer) func(subject string, sequence int64, parked bool) {
	return func(subject string, sequence int64, parked bool) {
		s.Helper()
		e := New("x.v1", subject, nil)
		e.ID, e.Source, e.Sequence, e.Time = fmt.Sprint("evt_", subject, sequence), "agora/test", sequence, time.Now()
		if err := c.Handle(s.Context(), Delivery{Event: e, Attempt: 1, Parked: parked}); err != nil {
			s.Errorf("event %d of %s: %v", sequence, subject, err)
		}
	}
}

func fine(Event) error { return nil }

func TestWhatIsCommittedReachesEveryConsumerOnceAndInOrder(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		bus := &Local{}
		for _, name := range []string{"a", "b"} {
			c := s.consumer(name, fine)
			bus.Subscribe(name, []string{"agora/test"}, c.Handle, c.HandleAll)
		}
		bus.Subscribe("elsewhere", []string{"agora/other"}, func(context.Context, Delivery) error {
			t.Error("an event reached the consumer of another source")
			return nil
		})
		s.say(nil, New("x.v1", "one", 1), New("x.v1", "one", 2))
		s.say(errors.New("rolled back"), New("x.v1", "one", 3))
		s.say(nil, New("x.v1", "one", 4))
		heard := s.relay(bus, 6)
		for _, name := range []string{"a", "b"} {
			var own []string
			for _, h := range heard {
				if h[0] == name[0] {
					own = append(own, h)
				}
			}
			if diff := cmp.Diff([]string{name + " one 1", name + " one 2", name + " one 3"}, own); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestAnEventThatComesTwiceHasOneEffectAndOneThatComesEarlyWaits(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		c := s.consumer("c", fine)
		handle := s.handler(c)
		for _, sequence := range []int64{1, 1, 3, 4, 3, 2, 3, 2} {
			handle("one", sequence, false)
		}
		if diff := cmp.Diff([]string{"c one 1", "c one 2", "c one 3", "c one 4"}, s.heard); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheFirstEventOfASubjectMayComeHalfAMinuteBehindTheSecond(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		c := s.consumer("c", fine)
		handle := s.handler(c)
		handle("one", 2, false)
		s.waited(30 * time.Second) // a busy replica sits on the first one
		handle("one", 2, true)
		handle("one", 1, false)
		if diff := cmp.Diff([]string{"c one 1", "c one 2"}, s.heard); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatCameEarlyWaitsForAsLongAsItsPredecessorMayCome(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		c := s.consumer("c", fine)
		c.Patience = 0
		handle := s.handler(c)
		handle("known", 1, false)
		for _, subject := range []string{"known", "unknown"} {
			handle(subject, 3, false)
			for range 10 { // more often than a failing event is tried
				s.waited(2 * time.Minute)
				handle(subject, 3, true)
			}
			handle(subject, 2, false)
		}
		handle("unknown", 1, false)
		want := []string{"c known 1", "c known 2", "c known 3", "c unknown 1", "c unknown 2", "c unknown 3"}
		if diff := cmp.Diff(want, s.heard); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheFirstEventOfASubjectThatComesWhenItIsNoLongerWaitedForIsADeadLetter(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		c := s.consumer("c", fine)
		handle := s.handler(c)
		handle("one", 2, false)
		for _, d := range []time.Duration{time.Second, 2 * time.Minute} {
			s.waited(d)
			handle("one", 2, true)
		}
		for range 2 {
			handle("one", 1, false)
			handle("one", 2, false)
		}
		if diff := cmp.Diff([]string{"c one 2"}, s.heard); diff != "" {
			t.Error(diff)
		}
		letters, err := DeadLetters(t.Context(), s.db.Read)
		if err != nil || len(letters) != 1 || letters[0].Sequence != 1 || letters[0].Reason != "event 1 of its subject came after the consumer had begun with 2" {
			t.Fatalf("dead letters = %+v, %v", letters, err)
		}
		if err := Revive(t.Context(), s.db, letters...); err != nil {
			t.Fatal(err)
		}
		handle("one", 1, true)
		handle("one", 1, false)
		if diff := cmp.Diff([]string{"c one 2", "c one 1"}, s.heard); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAFailingEventIsTriedAgainAndSetAsideInTheEnd(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		tries := map[string]int{}
		c := s.consumer("c", func(e Event) error {
			tries[e.Type]++
			if e.Type == "never.v1" || (e.Type == "second.v1" && tries[e.Type] == 1) {
				return errors.New("not now")
			}
			return nil
		})
		bus := &Local{}
		bus.Subscribe("c", []string{"agora/test"}, c.Handle, c.HandleAll)
		s.say(nil, New("never.v1", "one", nil), New("second.v1", "one", nil), New("fine.v1", "one", nil))
		s.relay(bus, 2)
		// Once more than it is tried alone: together with the others.
		if diff := cmp.Diff(map[string]int{"never.v1": 4, "second.v1": 2, "fine.v1": 1}, tries); diff != "" {
			t.Error(diff)
		}
		var reason string
		if err := s.db.Read.Get(&reason, `SELECT reason FROM dead_letter`); err != nil || reason != "not now" {
			t.Errorf("dead letter: %q, %v", reason, err)
		}
	})
}

func TestAGapThatNobodyFillsIsSetAsideAndHoldsUpNobody(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		bus := &Local{}
		bus.Subscribe("c", []string{"agora/test"}, s.consumer("c", fine).Handle)
		s.say(nil, New("x.v1", "one", nil))
		s.relay(bus, 1)
		err := s.db.Tx(t.Context(), func(tx *database.Tx) error { // as if the consumer's database had been put back from a copy
			_, err := tx.ExecContext(t.Context(), `UPDATE outbox_sequence SET last = 3`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		s.say(nil, New("x.v1", "one", nil), New("x.v1", "one", nil), New("x.v1", "two", nil))
		s.relay(bus, 3)
		var reason string
		if err := s.db.Read.Get(&reason, `SELECT reason FROM dead_letter`); err != nil || reason != "event 4 of its subject came before 2" {
			t.Errorf("dead letter: %q, %v", reason, err)
		}
	})
}

func TestWhatWasPublishedButNotMarkedIsPublishedAgainWithoutASecondEffect(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		bus := &Local{}
		bus.Subscribe("c", []string{"agora/test"}, s.consumer("c", fine).Handle)
		s.say(nil, New("x.v1", "one", nil))
		s.relay(bus, 1)
		err := s.db.Tx(t.Context(), func(tx *database.Tx) error { // as if the process had died before the mark
			_, err := tx.ExecContext(t.Context(), `UPDATE outbox SET published_us = NULL`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if heard := s.relay(bus, 1); len(heard) != 1 {
			t.Errorf("heard %v, want one effect", heard)
		}
	})
}

func TestAPoisonEventHoldsUpNobodyButItsSubject(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		healed := false
		c := s.consumer("c", func(e Event) error {
			if e.Type == "poison.v1" && !healed {
				return errors.New("not now")
			}
			return nil
		})
		c.MaxAttempts = 1000
		bus := &Local{}
		bus.Subscribe("c", []string{"agora/test"}, c.Handle, c.HandleAll)
		s.say(nil, New("fine.v1", "one", nil), New("poison.v1", "one", nil), New("fine.v1", "one", nil), New("fine.v1", "two", nil), New("fine.v1", "two", nil))
		if diff := cmp.Diff([]string{"c one 1", "c two 1", "c two 2"}, s.relay(bus, 3)); diff != "" {
			t.Error(diff)
		}
		healed = true
		if diff := cmp.Diff([]string{"c one 1", "c two 1", "c two 2", "c one 2", "c one 3"}, s.relay(bus, 5)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestADeadLetterThatIsRevivedIsTriedAgainAfterThoseBehindIt(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		healed := false
		c := s.consumer("c", func(e Event) error {
			if e.Type == "poison.v1" && !healed {
				return errors.New("not now")
			}
			return nil
		})
		bus := &Local{}
		bus.Subscribe("c", []string{"agora/test"}, c.Handle, c.HandleAll)
		s.say(nil, New("poison.v1", "one", nil), New("fine.v1", "one", nil))
		s.relay(bus, 1)
		for _, want := range [][]string{{"c one 2"}, {"c one 2", "c one 1"}} {
			letters, err := DeadLetters(t.Context(), s.db.Read)
			if err != nil || len(letters) != 1 || letters[0].Consumer != "c" || letters[0].Sequence != 1 || letters[0].Reason != "not now" {
				t.Fatalf("dead letters = %+v, %v", letters, err)
			}
			if err := Revive(t.Context(), s.db, letters...); err != nil {
				t.Fatal(err)
			}
			if err := s.outbox.redeliver(t.Context(), bus); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, s.heard); diff != "" {
				t.Error(diff)
			}
			healed = true
		}
	})
}

func TestAConsumerThatForgetsHearsAReplayFromTheBeginning(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		bus := &Local{}
		bus.Subscribe("old", []string{"agora/test"}, s.consumer("old", fine).Handle)
		bus.Subscribe("fresh", []string{"agora/test"}, s.consumer("fresh", fine).Handle)
		s.say(nil, New("x.v1", "one", nil), New("x.v1", "one", nil))
		s.relay(bus, 4)
		if err := Forget(t.Context(), s.db, "fresh", "agora/test"); err != nil {
			t.Fatal(err)
		}
		if n, err := Replay(t.Context(), s.db, time.Time{}); err != nil || n != 2 {
			t.Fatalf("Replay = %d, %v", n, err)
		}
		s.heard = nil
		if diff := cmp.Diff([]string{"fresh one 1", "fresh one 2"}, s.relay(bus, 2)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnInboxForgetsWhatIsOldAndStillTellsOldEvents(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		c := s.consumer("c", fine)
		e := New("x.v1", "one", nil)
		e.Source, e.Sequence = "agora/test", 1
		for range 2 {
			if err := c.Handle(t.Context(), Delivery{Event: e, Attempt: 1}); err != nil {
				t.Fatal(err)
			}
			if err := prune(t.Context(), s.db, time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		var n int
		if err := s.db.Read.Get(&n, `SELECT COUNT(*) FROM inbox`); err != nil || n != 0 || len(s.heard) != 1 {
			t.Errorf("%d rows, %v, heard %v", n, err, s.heard)
		}
	})
}
