package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
)

// done runs a command that must succeed, and returns what it prints.
func done(t *testing.T, args ...string) string {
	t.Helper()
	status, printed := agora(t, args...)
	if status != 0 {
		t.Fatalf("agora %s: exit status %d\n%s", strings.Join(args, " "), status, printed)
	}
	return printed
}

// bury makes an event of products a dead letter of inventory's, as if it had not been applied.
func bury(t *testing.T, folder string) (eventID string) {
	t.Helper()
	url := func(name string) string { return "sqlite:" + filepath.Join(folder, name+".db") }
	var row struct {
		ID, Type, Subject, Data string
		Sequence                int64
	}
	err := withDatabase(url("products"), func(db *database.DB) error {
		return db.Read.Get(&row, `SELECT id, type, subject, data, sequence FROM outbox WHERE type = 'agora.products.variant.created.v1' ORDER BY id LIMIT 1`)
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(event.Event{ID: row.ID, Source: "agora/products", Type: row.Type, Subject: row.Subject, Sequence: row.Sequence, Data: []byte(row.Data)})
	if err != nil {
		t.Fatal(err)
	}
	err = withDatabase(url("inventory"), func(db *database.DB) error {
		return db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO dead_letter (consumer, event_id, event, reason, at_us) VALUES ('inventory.catalogue', $1, $2, 'the disk was full', 1)`, row.ID, string(raw))
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return row.ID
}

func TestEventsAreReplayedAndDeadOnesTriedAgainByCommand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	count := func(name, query string) (n int) {
		t.Helper()
		err := withDatabase("sqlite:"+filepath.Join(folder, name+".db"), func(db *database.DB) error { return db.Read.Get(&n, query) })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// settled waits until all that products has said is heard by inventory.
	settled := func() {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
			waiting := count("inventory", `SELECT COUNT(*) FROM parked`) + count("products", `SELECT COUNT(*) FROM outbox WHERE published_us IS NULL`)
			if waiting == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d events wait", waiting)
			}
		}
		said, heard := count("products", `SELECT COUNT(*) FROM outbox_sequence`), count("inventory", `SELECT COUNT(*) FROM inbox_sequence WHERE consumer = 'inventory.catalogue'`)
		if said != heard || said == 0 {
			t.Errorf("products has spoken of %d subjects, and inventory heard of %d", said, heard)
		}
	}
	p := start(t, folder)
	settled()
	p.interrupt()
	id := bury(t, folder)
	if listed := done(t, "events", "dead", "list", "--data", folder); !strings.Contains(listed, id) || !strings.Contains(listed, "the disk was full") || strings.Count(listed, "\n") != 1 {
		t.Errorf("dead list: %s", listed)
	}
	if listed := done(t, "events", "dead", "list", "--data", folder, "--service", "orders"); listed != "" {
		t.Errorf("dead list of orders: %s", listed)
	}
	if said := done(t, "events", "dead", "retry", "--data", folder, "--event", id); said != "1 events are tried again as soon as their services run\n" {
		t.Errorf("dead retry: %s", said)
	}
	if said := done(t, "events", "replay", "products", "--data", folder, "--consumer", "inventory.catalogue"); !strings.HasSuffix(said, "events of products are published again as soon as it runs\n") || strings.HasPrefix(said, "0 ") {
		t.Errorf("replay: %s", said)
	}
	p = start(t, folder)
	settled()
	if n := count("inventory", `SELECT COUNT(*) FROM dead_letter`); n != 0 {
		t.Errorf("%d dead letters are left", n)
	}
	p.interrupt()
}
