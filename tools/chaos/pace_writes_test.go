package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const serverLog = `~chaos_orders 1.a 3/7~ LOG:  statement: BEGIN
~chaos_orders 1.a 3/7~ LOG:  execute 12: INSERT INTO orders (id, note)
		VALUES ($1, $2)
~chaos_orders 1.a 3/7~ DETAIL:  parameters: $1 = 'ord_0123456789', $2 = 'it''s
	$3 = two, lines'
~chaos_payments 1.b 4/1~ LOG:  execute <unnamed>: UPDATE payment SET status = $1 WHERE id = $2
~chaos_payments 1.b 4/1~ DETAIL:  parameters: $1 = NULL, $2 = 'pay_known'
~chaos_orders 1.a 3/7~ LOG:  execute 9: SELECT last FROM inbox WHERE id = $1 FOR UPDATE
~chaos_orders 1.a 3/7~ DETAIL:  parameters: $1 = 'x'
~chaos_orders 1.a 3/7~ LOG:  statement: COMMIT
~chaos_orders 1.a 3/8~ LOG:  statement: BEGIN
~chaos_orders 1.a 3/8~ LOG:  execute 12: DELETE FROM orders WHERE id = $1
~chaos_orders 1.a 3/8~ DETAIL:  parameters: $1 = 'ord_0123456789'
~chaos_orders 1.a 3/8~ LOG:  statement: ROLLBACK
~postgres 1.c 5/1~ LOG:  statement: UPDATE elsewhere SET a = 1
~  ~ LOG:  checkpoint starting: time
`

func TestWhatServicesCommitIsReadFromTheServersLog(t *testing.T) {
	var got []string
	for _, each := range parseLog(serverLog) {
		for _, s := range each.statements {
			got = append(got, each.service+": "+strings.Join(strings.Fields(s.text), " ")+" | "+strings.Join(s.values, " | "))
		}
	}
	want := []string{
		"orders: INSERT INTO orders (id, note) VALUES ($1, $2) | 'ord_0123456789' | 'it''s\n$3 = two, lines'",
		"payments: UPDATE payment SET status = $1 WHERE id = $2 | NULL | 'pay_known'",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAScriptWritesRowsOfItsOwnBesideThoseThatWereThere(t *testing.T) {
	kept := &copied{tables: map[string]map[string]bool{"orders": {"orders": true}, "inventory": {"stock": true}}, text: []byte("COPY ...\nuser_known it's known")}
	for _, test := range []struct {
		service, text, want string
		values              []string
	}{
		{
			"orders", "INSERT INTO orders (id, user, at, body)\n VALUES ($1, $2, $3, $4)",
			`INSERT INTO orders.orders (id, user, at, body) VALUES ((E'ord_0123456789' || :n), E'user_known', E'1796126815536507', (E'{"a"\x3a\x20"b"}' || :n))`,
			[]string{"'ord_0123456789'", "'user_known'", "'1796126815536507'", `'{"a": "b"}'`},
		},
		{"orders", "UPDATE orders SET a = $1 WHERE b = $2", `UPDATE orders.orders SET a = NULL WHERE b = E'it''s\x20known'`, []string{"NULL", "'it''s known'"}},
		{
			"inventory", "UPDATE stock SET version = $1 WHERE variant_id = $2 AND version = $3",
			"UPDATE inventory.stock SET version = E'2' WHERE variant_id = (SELECT id FROM public.variant WHERE n = :v)",
			[]string{"'2'", "'var_one'", "'1'"},
		},
	} {
		if got := kept.script(test.service, statement{test.text, test.values}, "var_one"); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.text, got, test.want)
		}
	}
}

func TestACheckoutAloneWritesNoMoreThanItsShareOfWhatManyWriteTogether(t *testing.T) {
	written := func(service string, texts ...string) *transaction {
		tx := &transaction{service: service}
		for _, text := range texts {
			tx.statements = append(tx.statements, statement{text: text})
		}
		return tx
	}
	// Two checkouts together: each inserts its order, one marks the events of both.
	s := newShares([]*transaction{written("orders", "INSERT $1"), written("orders", "INSERT $1"), written("orders", "MARK IN ($1, $2)")}, 2)
	var got []string
	for n := range 4 {
		var checkout []string
		for _, tx := range s.of([]*transaction{written("orders", "INSERT $1"), written("orders", "MARK IN ($1)")}, n+1) {
			var texts []string
			for _, each := range tx.statements {
				texts = append(texts, each.text)
			}
			checkout = append(checkout, strings.Join(texts, " + "))
		}
		got = append(got, strings.Join(checkout, " and "))
	}
	want := []string{"INSERT $1 and MARK IN ($1)", "INSERT $1", "INSERT $1 and MARK IN ($1)", "INSERT $1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	// In one transaction together, in two alone.
	joined := newShares([]*transaction{written("orders", "A", "B")}, 1).of([]*transaction{written("orders", "A"), written("payments", "C"), written("orders", "B")}, 1)
	if len(joined) != 1 || len(joined[0].statements) != 2 {
		t.Errorf("%d transactions of what is one together", len(joined))
	}
}
