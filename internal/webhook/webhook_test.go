package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/page"
)

// bench is a queue with a receiver that answers as it is told.
type bench struct {
	*testing.T
	db       *database.DB
	queue    *Queue
	receiver *httptest.Server

	mu     sync.Mutex
	ahead  time.Duration
	status int
	header http.Header
	got    []received
}

// received is a request as it came.
type received struct {
	header http.Header
	body   string
}

func newBench(t *testing.T, url string, cfg Config) *bench {
	t.Helper()
	db, err := database.Open(t.Context(), url, Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b := &bench{T: t, db: db, status: http.StatusOK, header: http.Header{}}
	b.receiver = httptest.NewServer(http.HandlerFunc(b.receive))
	t.Cleanup(b.receiver.Close)
	cfg.Now, cfg.Log, cfg.Interval, cfg.Key = b.now, slog.New(slog.DiscardHandler), 5*time.Millisecond, []byte("a key of more than 16 bytes")
	b.queue = New(db, cfg)
	return b
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Add(b.ahead)
}

func (b *bench) turn(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ahead += d
}

// answer says what the receiver answers from now on.
func (b *bench) answer(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = status
}

func (b *bench) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, received{r.Header, string(body)})
	for name, values := range b.header {
		w.Header()[name] = values
	}
	w.WriteHeader(b.status)
}

func (b *bench) requests() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]received(nil), b.got...)
}

func (b *bench) tx(run func(tx *database.Tx) error) {
	b.Helper()
	if err := b.db.Tx(b.Context(), run); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) register(types ...string) (Endpoint, string) {
	b.Helper()
	var e Endpoint
	var secret string
	b.tx(func(tx *database.Tx) (err error) {
		e, secret, err = b.queue.Register(b.Context(), tx, Endpoint{URL: b.receiver.URL, Types: types})
		return err
	})
	return e, secret
}

func (b *bench) offer(messageID, typ string) {
	b.Helper()
	if err := b.queue.Offer(b.Context(), Message{ID: messageID, Type: typ, Body: []byte(`{"type":"` + typ + `"}`)}); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.queue.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

// only is the one delivery that there is.
func (b *bench) only() Delivery {
	b.Helper()
	list, err := b.queue.Deliveries(b.Context(), Filter{}, page.Window{Limit: 10})
	if err != nil || len(list) != 1 {
		b.Fatalf("deliveries %v, %v", list, err)
	}
	return list[0]
}

// tried reports whether so many attempts at the one delivery have ended, the last with a status. While one is on its way
// it is due again within twice the time limit, 40 s.
func (b *bench) tried(attempts, status int) bool {
	d := b.only()
	return d.Attempts == int64(attempts) && d.Status == int64(status) && (d.State != Pending || database.Time(d.DueUs).Sub(b.now()) > 45*time.Second)
}

func (b *bench) endpoint(endpointID string) (e Endpoint) {
	b.Helper()
	b.tx(func(tx *database.Tx) (err error) {
		e, err = b.queue.Lock(b.Context(), tx, endpointID)
		return err
	})
	return e
}

func (b *bench) eventually(what string, holds func() bool) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("not within 10 s: %s", what)
		}
	}
}

func TestWhoWantsATypeIsToldOnceWithASignatureThatHolds(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBench(t, url, Config{Private: true})
		defer b.run()()
		b.offer("m0", "shop.order.placed.v1") // nobody is there to be told
		_, secret := b.register("shop.order.*", "shop.stock.low.v1")
		for _, typ := range []string{"shop.order.placed.v1", "shop.stock.low.v1", "shop.stock.out.v1", "shop.orders.v1"} {
			b.offer("m"+typ, typ)
			b.offer("m"+typ, typ)
		}
		b.eventually("both are told", func() bool { return len(b.requests()) == 2 })
		for _, r := range b.requests() {
			messageID, err := Verify(r.header, []byte(r.body), b.now(), secret)
			if err != nil || !strings.Contains(r.body, strings.TrimPrefix(messageID, "m")) {
				t.Errorf("told %s as %s: %v", r.body, messageID, err)
			}
		}
	})
}

func TestWhatThereIsNoRoomForIsSentAsSoonAsThereIs(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBench(t, url, Config{Private: true})
		b.queue.cfg.Interval = time.Hour
		b.register("*")
		const messages = 4 * parallel
		for i := range messages {
			b.offer(fmt.Sprint("message ", i), "a.b")
		}
		defer b.run()()
		b.eventually("everything is sent", func() bool { return len(b.requests()) == messages })
	})
}

func TestWhatFailsIsTriedAgainLaterAndLaterAndThenGivenUp(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBench(t, url, Config{Private: true, Schedule: []time.Duration{time.Minute, time.Hour}})
		e, _ := b.register("*")
		b.answer(http.StatusInternalServerError)
		b.offer("m", "x")
		defer b.run()()
		for attempt, pause := range []time.Duration{2 * time.Minute, 2 * time.Hour, 0} {
			b.eventually("it is tried", func() bool { return b.tried(attempt+1, 500) })
			b.turn(pause)
		}
		b.eventually("it is given up", func() bool { return b.only().State == Failed })
		if e := b.endpoint(e.ID); !e.Enabled || e.FailingSince.IsZero() {
			t.Errorf("the endpoint after two hours: %+v", e)
		}
		b.answer(http.StatusNoContent)
		b.tx(func(tx *database.Tx) error {
			ok, err := b.queue.Replay(t.Context(), tx, b.only().ID)
			if !ok {
				t.Error("there is nothing to replay")
			}
			return err
		})
		b.eventually("it is delivered by hand", func() bool { return b.only().State == Delivered })
		if e := b.endpoint(e.ID); !e.FailingSince.IsZero() {
			t.Errorf("the endpoint after a success: %+v", e)
		}
		ids := map[string]bool{}
		for _, r := range b.requests() {
			ids[r.header.Get("webhook-id")] = true
		}
		if len(ids) != 1 {
			t.Errorf("the message has the ids %v", ids)
		}
	})
}

func TestAnEndpointThatIsGoneOrFailsForDaysIsDisabled(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBench(t, url, Config{Private: true, DisableAfter: 24 * time.Hour, Schedule: []time.Duration{time.Hour, 48 * time.Hour, time.Hour}})
		gone, _ := b.register("*")
		b.answer(http.StatusGone)
		b.offer("m1", "x")
		stop := b.run()
		b.eventually("it is disabled", func() bool { return !b.endpoint(gone.ID).Enabled })
		if d := b.only(); d.State != Failed {
			t.Errorf("what it was to be told: %+v", d)
		}
		stop()
		b.tx(func(tx *database.Tx) error { return b.queue.Remove(t.Context(), tx, gone.ID) })
		failing, _ := b.register("*")
		b.answer(http.StatusBadGateway)
		b.offer("m2", "x")
		defer b.run()()
		for attempt := range 2 {
			b.eventually("it is tried", func() bool { return b.tried(attempt+1, 502) })
			b.turn(60 * time.Hour)
		}
		b.eventually("it is disabled", func() bool { return !b.endpoint(failing.ID).Enabled })
		b.offer("m3", "x")
		b.only() // nobody tells a disabled endpoint
		b.answer(http.StatusOK)
		e := b.endpoint(failing.ID)
		e.Enabled, e.DisabledReason, e.FailingSince = true, "", time.Time{}
		b.tx(func(tx *database.Tx) error {
			if err := b.queue.Change(t.Context(), tx, e); err != nil {
				return err
			}
			n, err := b.queue.ReplayFailed(t.Context(), tx, e.ID, b.now().Add(-1000*time.Hour))
			if n != 1 {
				t.Errorf("%d are replayed", n)
			}
			return err
		})
		b.eventually("it is told", func() bool { return b.only().State == Delivered })
	})
}

func TestWhileASecretIsReplacedBothSign(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBench(t, url, Config{Private: true})
		e, before := b.register("*")
		var after string
		b.tx(func(tx *database.Tx) (err error) {
			after, err = b.queue.Rotate(t.Context(), tx, e.ID)
			return err
		})
		var stored []string
		if err := b.db.Read.Select(&stored, `SELECT secret || previous_secret FROM webhook_endpoint`); err != nil || strings.Contains(stored[0], before[6:]) || strings.Contains(stored[0], after[6:]) {
			t.Errorf("the database holds the secret: %v, %v", stored, err)
		}
		defer b.run()()
		for i, want := range []map[string]bool{{before: true, after: true}, {before: false, after: true}} {
			b.offer(fmt.Sprint("m", i), "x")
			b.eventually("it is told", func() bool { return len(b.requests()) == i+1 })
			for secret, valid := range want {
				r := b.requests()[i]
				if _, err := Verify(r.header, []byte(r.body), b.now(), secret); (err == nil) != valid {
					t.Errorf("message %d with the secret that was replaced (%v): %v", i, secret == before, err)
				}
			}
			b.turn(25 * time.Hour)
		}
	})
}

func TestWebhooksGoToPublicAddressesOnly(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t), Config{Schedule: []time.Duration{time.Hour}})
	for _, address := range []string{
		"http://example.com/", "https://127.0.0.1/", "https://10.1.2.3/", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[fd00::1]/",
		"https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://0.0.0.0/", "https://100.100.100.200/", "https://user:secret@example.com/",
		"file:///etc/passwd", "https://", "//example.com", "https:example.com", "gopher://example.com/", "https://192.168.0.1:8443/", "https://[fe80::1%25eth0]/",
	} {
		if b.queue.CheckURL(address) == nil {
			t.Errorf("%s may be an endpoint", address)
		}
	}
	for _, address := range []string{"https://example.com/hook?x=1", "https://93.184.216.34/", "https://[2606:2800:220:1::1]:8443/"} {
		if err := b.queue.CheckURL(address); err != nil {
			t.Errorf("%s may not be an endpoint: %v", address, err)
		}
	}
	// A name that leads here is found out when the connection is made.
	for _, host := range []string{"localhost", "127.0.0.1"} {
		_, port, _ := strings.Cut(strings.TrimPrefix(b.receiver.URL, "http://"), ":")
		_, err := b.queue.client.Get("http://" + host + ":" + port)
		if !errors.Is(err, ErrAddress) {
			t.Errorf("a request to %s: %v", host, err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t), Config{Private: true, Schedule: []time.Duration{time.Hour}})
	b.header.Set("Location", "/elsewhere")
	b.answer(http.StatusFound)
	b.register("*")
	b.offer("m", "x")
	defer b.run()()
	b.eventually("it is tried", func() bool { return b.only().Status == http.StatusFound })
	if n := len(b.requests()); n != 1 || b.only().State != Pending {
		t.Errorf("%d requests, %+v", n, b.only())
	}
}

func TestWithoutAKeyNoSecretIsMade(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t), Config{})
	q := New(b.db, Config{})
	err := b.db.Tx(t.Context(), func(tx *database.Tx) error {
		_, _, err := q.Register(t.Context(), tx, Endpoint{URL: "https://example.com", Types: []string{"*"}})
		return err
	})
	if !errors.Is(err, ErrNoKey) {
		t.Errorf("register: %v", err)
	}
}

func TestTypesAreChecked(t *testing.T) {
	for types, want := range map[string]bool{
		"*": true, "agora.orders.*": true, "agora.orders.order.confirmed.v1": true, "": false, "agora*": false, "*.v1": false, "Agora": false, "a..b": false, "a b": false,
	} {
		if err := CheckTypes([]string{types}); (err == nil) != want {
			t.Errorf("CheckTypes(%q) = %v", types, err)
		}
	}
	if CheckTypes(nil) == nil || CheckTypes(make([]string, MaxTypes+1)) == nil {
		t.Error("none or too many types are accepted")
	}
}
