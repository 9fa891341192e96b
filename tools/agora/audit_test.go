package main

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// auditFolder compares the books of the shop whose data is in a folder.
func auditFolder(t *testing.T, folder string) {
	t.Helper()
	if out, err := exec.Command(binary, "audit", "--data", folder).CombinedOutput(); err != nil {
		t.Errorf("audit: %v\n%s", err, out)
	}
}

func TestAuditSaysInASentenceWhatIsBroken(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	variant, _, _ := p.variantWith(10)
	b := p.newBuyer()
	total := number(b.do(addQuery, map[string]any{"v": variant, "n": 2}), "cartLinesAdd.cart.total.minorUnits")
	placed := b.settle(createQuery, map[string]any{"i": map[string]any{
		"lines": []any{map[string]any{"variantId": variant, "quantity": 2}}, "addressId": b.address, "paymentMethodToken": "tok_ok",
		"expectedTotalMinorUnits": total, "idempotencyKey": "audited", "waitMs": 20000,
	}})
	order := text(placed, "orderCreate.order.id")
	auditFolder(t, folder) // while it runs
	p.interrupt()
	auditFolder(t, folder)

	for _, broken := range []struct{ service, statement, sentence string }{
		{"inventory", `UPDATE stock SET on_hand = on_hand + 1 WHERE variant_id = '` + variant + `'`, "but its movements sum up to"},
		{"inventory", `UPDATE stock SET sold = sold - 1 WHERE variant_id = '` + variant + `'`, "but reservations hold 0 and have sold 2"},
		{"inventory", `UPDATE reservation SET state = 'HELD' WHERE order_id = '` + order + `'`, "order " + order + " is CONFIRMED, and units are held for it"},
		{"inventory", `UPDATE reservation SET order_id = 'ord_none' WHERE order_id = '` + order + `'`, "for order ord_none, which doesn't exist"},
		{"payments", `UPDATE ledger SET amount = amount - 1 WHERE account = 'captured'`, "the ledger entries of order " + order + " add up to -1 EUR"},
		{"provider", `UPDATE charge SET captured = captured - 1`, "of order " + order + " payments has captured"},
		{"orders", `UPDATE orders SET status = 'REJECTED'`, "order " + order + " is REJECTED, and its history ends at \"CONFIRMED\""},
		{"orders", `UPDATE saga SET plan = 'capture', deadline_us = 0`, "order " + order + " has capture still before it"},
		{"orders", `DELETE FROM saga`, "order " + order + " has no saga"},
		{"orders", `UPDATE idempotency SET response = '"ord_none"' WHERE operation = 'orderCreate'`, "which doesn't exist"},
		{"products", `UPDATE outbox SET published_us = NULL, time_us = 0 WHERE sequence = 1`, "was never published"},
		{"products", `UPDATE outbox SET published_us = 1, sequence = sequence + 7 WHERE id = (SELECT MIN(id) FROM outbox)`, "inventory.catalogue has heard"},
		{"orders", `INSERT INTO dead_letter (consumer, event_id, event, reason, at_us) VALUES ('orders.payments', 'evt_x', '{}', 'no such thing', 0)`, "is a dead letter of orders.payments: no such thing"},
	} {
		t.Run(broken.sentence, func(t *testing.T) {
			undo := tamper(t, filepath.Join(folder, broken.service+".db"), broken.statement)
			defer undo()
			out, err := exec.Command(binary, "audit", "--data", folder).CombinedOutput()
			if err == nil || err.Error() != "exit status 1" || !strings.Contains(string(out), broken.sentence) {
				t.Errorf("audit: %v\n%s\nwant a sentence with %q", err, out, broken.sentence)
			}
		})
	}
	auditFolder(t, folder)
}

// tamper changes a database behind the back of its service, and returns the function that brings it back.
func tamper(t *testing.T, file, statement string) (undo func()) {
	t.Helper()
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if result, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	} else if n, _ := result.RowsAffected(); n == 0 {
		t.Fatalf("%s changes nothing", statement)
	}
	return func() {
		if err := os.WriteFile(file, kept, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAuditFindsTheDatabasesInTheServicesFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	start(t, folder).interrupt()
	file := filepath.Join(folder, "some.yaml")
	audit := func(config string) (string, error) {
		if err := os.WriteFile(file, []byte("installation: test\nsecret: a secret of at least 32 bytes, for tests\nservices:\n"+config), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(binary, "audit", "--config", file).CombinedOutput()
		return string(out), err
	}
	var all string
	for _, name := range []string{"users", "products", "inventory", "orders", "payments"} {
		all += "  " + name + ": {database: 'sqlite:" + filepath.Join(folder, name+".db") + "'}\n"
	}
	if out, err := audit(all); err != nil || !strings.Contains(out, "all books agree") || !strings.Contains(out, "the provider's own book was not compared") {
		t.Errorf("without a sandbox: %v\n%s", err, out)
	}
	if out, err := audit(all + "provider: {database: 'sqlite:" + filepath.Join(folder, "provider.db") + "'}\n"); err != nil || strings.Contains(out, "not compared") {
		t.Errorf("with the sandbox: %v\n%s", err, out)
	}
	if out, err := audit("  users: {database: 'sqlite:" + filepath.Join(folder, "users.db") + "'}\n"); err == nil || !strings.Contains(out, "no database of products: name it in "+file) {
		t.Errorf("half of them: %v\n%s", err, out)
	}
}
