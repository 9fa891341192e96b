package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/event/eventtest"
	"github.com/agora-supergraph/agora/internal/event/natstest"
)

var quiet = slog.New(slog.DiscardHandler)

func connect(t *testing.T, cfg Config) *Bus {
	t.Helper()
	cfg.Log = quiet
	bus, err := Connect(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	return bus
}

func TestJetStreamDoesWhatABusHasToDo(t *testing.T) {
	url := natstest.URL(t)
	eventtest.Run(t, eventtest.Driver{Processes: 3, Open: func(t *testing.T) func() eventtest.Process {
		prefix := natstest.Prefix(t, url)
		return func() eventtest.Process {
			bus := connect(t, Config{URL: url, Prefix: prefix, AckWait: time.Second})
			return eventtest.Process{Bus: bus, Run: bus.Run}
		}
	}})
}

func TestAStreamOfAnotherInstallationIsRefused(t *testing.T) {
	url := natstest.URL(t)
	prefix := natstest.Prefix(t, url)
	if err := connect(t, Config{URL: url, Prefix: prefix, Installation: "theirs"}).Claim(t.Context(), "agora/test"); err != nil {
		t.Fatal(err)
	}
	ours := connect(t, Config{URL: url, Prefix: prefix, Installation: "ours"})
	ours.Subscribe("test.c", []string{"agora/test"}, func(context.Context, event.Delivery) error { return nil })
	e := event.New("agora.test.x.v1", "one", nil)
	e.Source, e.Sequence = "agora/test", 1
	for what, err := range map[string]error{
		"claim": ours.Claim(t.Context(), "agora/test"), "run": ours.Run(t.Context()), "publish": ours.Publish(t.Context(), []event.Event{e}),
	} {
		if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), `installation theirs`) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWhatIsNoEventIsDroppedAndHoldsNobodyUp(t *testing.T) {
	url := natstest.URL(t)
	bus := connect(t, Config{URL: url, Prefix: natstest.Prefix(t, url)})
	got := make(chan event.Event, 10)
	bus.Subscribe("test.c", []string{"agora/test"}, func(_ context.Context, d event.Delivery) error {
		got <- d.Event
		return nil
	})
	if err := bus.Claim(t.Context(), "agora/test"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{`, `{"specversion":"1.0"}`, `{"specversion":"9","id":"a","source":"agora/test","subject":"b","sequence":1}`} {
		if _, err := bus.js.PublishMsg(t.Context(), &nats.Msg{Subject: bus.cfg.Prefix + ".test.x", Data: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	e := event.New("agora.test.x.v1", "one", "data")
	e.Source, e.Sequence = "agora/test", 1
	if err := bus.Publish(t.Context(), []event.Event{e}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { bus.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	if first := <-got; first.ID != e.ID || string(first.Data) != `"data"` {
		t.Errorf("first event: %+v", first)
	}
}

// world is a service that says and hears on a server of its own.
type world struct {
	*testing.T
	server *natstest.Server
	db     *database.DB
	outbox *event.Outbox
	said   int

	mu    sync.Mutex
	heard map[string]int
}

func newWorld(t *testing.T) *world {
	db, err := database.Open(t.Context(), databasetest.SQLite(t), event.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &world{T: t, server: natstest.Start(t, t.TempDir(), 0), db: db, outbox: event.NewOutbox(db, "agora/test"), heard: map[string]int{}}
}

// begin runs the service's relay and a consumer in a process.
func (w *world) begin(consumer string) (stop func()) {
	bus := connect(w.T, Config{URL: w.server.URL(), AckWait: time.Second})
	c := &event.Consumer{
		DB: w.db, Name: consumer,
		Apply: func(context.Context, *database.Tx, event.Event) error { return nil },
		Applied: func(_ context.Context, e event.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.heard[consumer+" "+e.Subject]++
		},
	}
	bus.Subscribe(consumer, []string{"agora/test"}, c.Handle)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { bus.Run(ctx) })
	wg.Go(func() { w.outbox.Relay(ctx, bus, quiet) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait(); bus.Close() })
	w.Cleanup(stop)
	return stop
}

// say appends n events, each of another subject.
func (w *world) say(n int) {
	w.Helper()
	for range n {
		w.said++
		err := w.db.Tx(w.Context(), func(tx *database.Tx) error {
			return w.outbox.Append(w.Context(), tx, event.New("agora.test.x.v1", fmt.Sprint("subject ", w.said), nil))
		})
		if err != nil {
			w.Fatal(err)
		}
	}
	w.outbox.Wake()
}

// await waits until a consumer has applied all that was said, once.
func (w *world) await(consumer string) {
	w.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		missing := []string{}
		w.mu.Lock()
		for n := range w.said {
			if times := w.heard[fmt.Sprint(consumer, " subject ", n+1)]; times != 1 {
				missing = append(missing, fmt.Sprintf("subject %d: %d times", n+1, times))
			}
		}
		w.mu.Unlock()
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("%s has not heard: %v", consumer, missing)
		}
	}
}

func TestADeletedStreamIsFilledAgainFromTheOutbox(t *testing.T) {
	w := newWorld(t)
	stop := w.begin("test.early")
	w.say(30)
	w.await("test.early")
	stop()
	natstest.DeleteStreams(t, w.server.URL(), "agora")
	w.begin("test.late") // it has heard nothing: only the stream can tell it
	w.say(3)
	w.await("test.late")
}

func TestAStreamThatIsDeletedUnderARunningProcessIsFilledAgain(t *testing.T) {
	w := newWorld(t)
	w.begin("test.early")
	w.say(10)
	w.await("test.early")
	natstest.DeleteStreams(t, w.server.URL(), "agora")
	w.say(10)
	w.await("test.early")
	w.begin("test.late")
	w.await("test.late")
}

func TestAServerThatComesBackWithAnOlderCopyOfItsFolderGetsTheTailAgain(t *testing.T) {
	for name, more := range map[string]int{"nothing else happens": 0, "new events take the positions of lost ones": 5} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			stop := w.begin("test.early")
			w.say(20)
			w.await("test.early")
			stop()
			w.server.Stop()
			older := filepath.Join(t.TempDir(), "older")
			if err := os.CopyFS(older, os.DirFS(w.server.Folder)); err != nil {
				t.Fatal(err)
			}
			w.server = natstest.Start(t, w.server.Folder, w.server.Port)
			stop = w.begin("test.early")
			w.say(15)
			w.await("test.early")
			stop()
			w.server.Stop()

			w.server = natstest.Start(t, older, w.server.Port)
			w.say(more)
			w.begin("test.early")
			w.begin("test.late")
			w.await("test.early")
			w.await("test.late")
		})
	}
}

func TestWhatIsSaidWhileTheServerIsAwayArrivesWhenItIsBack(t *testing.T) {
	w := newWorld(t)
	w.begin("test.early")
	w.say(5)
	w.await("test.early")
	w.server.Stop()
	w.say(5)
	time.Sleep(100 * time.Millisecond)
	w.server = natstest.Start(t, w.server.Folder, w.server.Port)
	w.await("test.early")
}
