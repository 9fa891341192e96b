package event_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event"
)

// An event gets its id when it is made and its sequence when its transaction has its turn, so the ids of a
// subject's events need not be in their order.
func TestEventsOfASubjectArriveInOrderWhateverTheirIDs(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		db, err := database.Open(ctx, url, event.Migrations())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		outbox := event.NewOutbox(db, "test")
		second := event.New("test.second.v1", "subject", nil)
		for _, e := range []event.Event{event.New("test.first.v1", "subject", nil), second} {
			if err := db.Tx(ctx, func(tx *database.Tx) error { return outbox.Append(ctx, tx, e) }); err != nil {
				t.Fatal(err)
			}
		}

		var bus event.Local
		var got []string
		consumer := event.Consumer{DB: db, Name: "test", Apply: func(_ context.Context, _ *database.Tx, e event.Event) error {
			if got = append(got, e.Type); len(got) == 2 {
				cancel()
			}
			return nil
		}}
		bus.Subscribe(consumer.Name, []string{"test"}, consumer.Handle)
		if err := outbox.Relay(ctx, &bus, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"test.first.v1", "test.second.v1"}, got); diff != "" {
			t.Errorf("events arrived in this order (-want +got):\n%s", diff)
		}
	})
}
