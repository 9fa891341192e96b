package event

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

func TestManyEventsAreAppliedTogether(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		transactions := map[*database.Tx]bool{}
		c := s.consumer("c", fine)
		c.Apply = func(_ context.Context, tx *database.Tx, _ Event) error {
			transactions[tx] = true
			return nil
		}
		bus := &Local{}
		bus.Subscribe("c", []string{"agora/test"}, c.Handle, c.HandleAll)
		var want []string
		for i := range 120 {
			subject := fmt.Sprint("subject ", i%40)
			s.say(nil, New("x.v1", subject, i))
			want = append(want, fmt.Sprintf("c %s %d", subject, 1+i/40))
		}
		if diff := cmp.Diff(want, s.relay(bus, 120)); diff != "" {
			t.Error(diff)
		}
		if len(transactions) > 3 {
			t.Errorf("%d transactions for 120 events, want 3", len(transactions))
		}
	})
}

func TestAnEventThatFailsAmongManyHoldsUpItsSubjectAlone(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		c := s.consumer("c", func(e Event) error {
			if e.Subject == "bad" && e.Sequence == 1 {
				return errors.New("never")
			}
			return nil
		})
		bus := &Local{}
		bus.Subscribe("c", []string{"agora/test"}, c.Handle, c.HandleAll)
		s.say(nil, New("x.v1", "good", 1), New("x.v1", "bad", 1), New("x.v1", "good", 2), New("x.v1", "bad", 2), New("x.v1", "other", 1))
		heard := s.relay(bus, 4)
		slices.Sort(heard)
		if diff := cmp.Diff([]string{"c bad 2", "c good 1", "c good 2", "c other 1"}, heard); diff != "" {
			t.Error(diff)
		}
		if letters, err := DeadLetters(t.Context(), s.db.Read); err != nil || len(letters) != 1 || letters[0].Subject != "bad" {
			t.Errorf("dead letters = %+v, %v", letters, err)
		}
	})
}

func TestBatchesWithEventsTwiceAndInDisorderHaveOneEffectInOrder(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		c := s.consumer("c", fine)
		c.Patience = 0
		random := rand.New(rand.NewPCG(1, 1))
		var all []Delivery
		want := map[string][]string{}
		for i := range 200 {
			e := New("x.v1", fmt.Sprint("subject ", i%7), nil)
			e.Source, e.Sequence, e.Time = "agora/test", int64(1+i/7), time.Now()
			for range 1 + random.IntN(3) {
				all = append(all, Delivery{Event: e, Attempt: 1})
			}
			want[e.Subject] = append(want[e.Subject], fmt.Sprintf("c %s %d", e.Subject, e.Sequence))
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for batch := range slices.Chunk(all, 20) {
			if err := c.HandleAll(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
		heard := map[string][]string{}
		for _, h := range s.heard {
			subject := h[len("c "):strings.LastIndexByte(h, ' ')]
			heard[subject] = append(heard[subject], h)
		}
		if diff := cmp.Diff(want, heard); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAllEarlyEventsOfANewSubjectWaitTogether(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := newStation(t, url)
		c := s.consumer("c", fine)
		handle := s.handler(c)
		for sequence := int64(2); sequence < 5; sequence++ {
			handle("one", sequence, false)
		}
		s.waited(time.Second)
		handle("one", 2, true)
		var due int
		if err := s.db.Read.Get(&due, `SELECT COUNT(*) FROM parked WHERE due_us < $1`, database.Micros(time.Now().Add(time.Second))); err != nil || due != 0 {
			t.Errorf("%d of 3 are due again at once, %v: others would have to stand behind them", due, err)
		}
	})
}
