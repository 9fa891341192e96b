package eventtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agora-supergraph/agora/internal/event"
)

// Storm is a bus on which all that event.Bus allows happens all the time: an event comes to each consumer 1 to 5 times, the
// copies side by side or long after each other, before its predecessors and behind its successors; some batches are refused
// after a part of them was taken, and some acknowledgements get lost. Nothing is lost but with the process. Until Begin it
// is calm: an event.Local.
type Storm struct {
	// Hold is by how long a delivery may be held back.
	Hold time.Duration
	// Seed says what happens when.
	Seed uint64

	calm        event.Local
	subscribers []subscriber
	begun       atomic.Bool

	mu      sync.Mutex
	random  *rand.Rand
	pending []flight
	flying  int
	latest  map[string]int64
	heard   map[string]int
	weather Weather
}

// Weather is what a Storm has done.
type Weather struct {
	// Events are those that were published, Deliveries how often one was handed to a consumer, and Most how often the
	// same one to the same consumer.
	Events, Deliveries, Most int
	// Early came before a predecessor, and Late behind a successor.
	Early, Late int
	// Refused are batches that were not taken whole, and Lost acknowledgements that got lost.
	Refused, Lost int
}

// String is the weather in words.
func (w Weather) String() string {
	return fmt.Sprintf("%d events in %d deliveries (one of them %d times), %d before a predecessor and %d behind a successor, %d batches refused, %d acknowledgements lost",
		w.Events, w.Deliveries, w.Most, w.Early, w.Late, w.Refused, w.Lost)
}

type subscriber struct {
	consumer string
	sources  []string
	handle   event.Handler
}

// flight is a delivery that is under way.
type flight struct {
	event.Delivery
	to  *subscriber
	due time.Time
}

// The odds, in a thousand, that a batch is refused and that an acknowledgement gets lost.
const (
	refusing = 50
	losing   = 50
)

// stormWorkers is how many deliveries are made at a time.
const stormWorkers = 16

// Subscribe adds a consumer. It must not be called once events are published.
func (s *Storm) Subscribe(consumer string, sources []string, handle event.Handler, all ...event.BatchHandler) {
	s.calm.Subscribe(consumer, sources, handle, all...)
	s.subscribers = append(s.subscribers, subscriber{consumer, sources, handle})
}

// Begin ends the calm.
func (s *Storm) Begin() { s.begun.Store(true) }

// errRefused is what Publish answers now and then.
var errRefused = errors.New("the bus has not taken all of the batch")

// Publish takes a batch, or a part of it.
func (s *Storm) Publish(ctx context.Context, batch []event.Event) error {
	if !s.begun.Load() {
		return s.calm.Publish(ctx, batch)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.random == nil {
		s.random, s.latest, s.heard = rand.New(rand.NewPCG(s.Seed, s.Seed)), map[string]int64{}, map[string]int{}
	}
	refused := s.random.IntN(1000) < refusing
	if refused {
		s.weather.Refused++
		batch = batch[:s.random.IntN(len(batch))]
	}
	for _, e := range batch {
		s.weather.Events++
		for i := range s.subscribers {
			to := &s.subscribers[i]
			if !slices.Contains(to.sources, e.Source) {
				continue
			}
			for range 1 + s.random.IntN(5) {
				s.pending = append(s.pending, flight{event.Delivery{Event: e, Attempt: 1}, to, s.soon()})
			}
		}
	}
	if refused {
		return errRefused
	}
	return nil
}

// soon is when a delivery is made: half of them at once, the others at any time.
func (s *Storm) soon() time.Time {
	if s.random.IntN(2) == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(s.random.Int64N(int64(s.Hold))))
}

// Redeliver hands a delivery to the handler of a consumer.
func (s *Storm) Redeliver(ctx context.Context, consumer string, d event.Delivery) error {
	return s.calm.Redeliver(ctx, consumer, d)
}

// Run delivers events until ctx ends.
func (s *Storm) Run(ctx context.Context) error {
	due := make(chan flight)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer close(due)
	for range stormWorkers {
		workers.Go(func() {
			for f := range due {
				s.deliver(ctx, f)
			}
		})
	}
	for {
		for _, f := range s.take(time.Now()) {
			select {
			case due <- f:
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// take takes what is due, in disorder.
func (s *Storm) take(now time.Time) []flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []flight
	s.pending = slices.DeleteFunc(s.pending, func(f flight) bool {
		if f.due.After(now) {
			return false
		}
		due = append(due, f)
		return true
	})
	if len(due) > 0 {
		s.random.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
		s.flying += len(due)
	}
	return due
}

func (s *Storm) deliver(ctx context.Context, f flight) {
	s.note(f)
	err := f.to.handle(ctx, f.Delivery)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flying--
	lost := err == nil && s.random.IntN(1000) < losing
	if lost {
		s.weather.Lost++
	}
	if err == nil && !lost {
		return
	}
	if err != nil && ctx.Err() == nil {
		slog.DebugContext(ctx, "deliver event", "consumer", f.to.consumer, "event", f.ID, "attempt", f.Attempt, "error", err)
	}
	f.due = time.Now().Add(event.Backoff(f.Attempt))
	f.Attempt++
	s.pending = append(s.pending, f)
}

// note counts a delivery.
func (s *Storm) note(f flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.weather.Deliveries++
	subject, one := f.to.consumer+" "+f.Source+" "+f.Subject, f.to.consumer+" "+f.ID
	switch latest := s.latest[subject]; {
	case f.Sequence > latest+1:
		s.weather.Early++
	case f.Sequence < latest:
		s.weather.Late++
	}
	s.latest[subject] = max(s.latest[subject], f.Sequence)
	s.heard[one]++
	s.weather.Most = max(s.weather.Most, s.heard[one])
}

// Calm reports whether nothing is under way.
func (s *Storm) Calm() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending) == 0 && s.flying == 0
}

// Weather is what it has done so far.
func (s *Storm) Weather() Weather {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.weather
}
