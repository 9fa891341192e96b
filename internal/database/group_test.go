package database

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// company is a database of SQLite, whose transactions come together when a test wants them to.
type company struct {
	*testing.T
	db *DB
	wg sync.WaitGroup
}

func newCompany(t *testing.T) *company {
	tables := fstest.MapFS{"0100_t.sql": {Data: []byte("-- +goose Up\nCREATE TABLE t (name TEXT NOT NULL);\n")}}
	db, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"), tables)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &company{T: t, db: db}
}

// together runs transactions one behind the other, so that they come together. It returns what came of each.
func (c *company) together(all ...func(tx *Tx) error) []error {
	errs, each := make([]error, len(all)), make([]func(), len(all))
	for i, fn := range all {
		each[i] = func() { errs[i] = c.db.Tx(c.Context(), fn) }
	}
	c.inTurn(each...)
	return errs
}

// inTurn has each of some functions wait for a turn, in their order, before the first one gets it.
func (c *company) inTurn(all ...func()) {
	c.db.line.turn <- struct{}{}
	for i, do := range all {
		c.wg.Go(do)
		for c.db.line.waiting.Load() < int32(i+1) {
			time.Sleep(time.Millisecond)
		}
	}
	c.db.line.leave()
	c.wg.Wait()
}

func (c *company) names(q Querier) []string {
	c.Helper()
	names := []string{}
	if err := q.SelectContext(context.Background(), &names, `SELECT name FROM t ORDER BY rowid`); err != nil {
		c.Fatal(err)
	}
	return names
}

func (c *company) want(want []string, got []string) {
	c.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		c.Error(diff)
	}
}

func insert(name string) func(tx *Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec(`INSERT INTO t (name) VALUES ($1)`, name)
		return err
	}
}

func TestTransactionsThatWaitAreCommittedTogether(t *testing.T) {
	c := newCompany(t)
	var before, within []string
	errs := c.together(insert("a"), func(tx *Tx) error {
		before, within = c.names(c.db.Read), c.names(tx)
		return insert("b")(tx)
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	c.want([]string{}, before)
	c.want([]string{"a"}, within)
	c.want([]string{"a", "b"}, c.names(c.db.Read))
}

func TestATransactionThatFailsAmongThoseCommittedTogetherIsUndoneAlone(t *testing.T) {
	wrong := errors.New("wrong")
	for place, want := range [][]string{{"b", "c"}, {"a", "c"}, {"a", "b"}} {
		c := newCompany(t)
		all := []func(tx *Tx) error{insert("a"), insert("b"), insert("c")}
		fine := all[place]
		all[place] = func(tx *Tx) error { return errors.Join(fine(tx), wrong) }
		for i, err := range c.together(all...) {
			if (i == place) != errors.Is(err, wrong) {
				t.Errorf("transaction %d of which %d is wrong: %v", i, place, err)
			}
		}
		c.want(want, c.names(c.db.Read))
	}
}

func TestATransactionThatPanicsTakesNoOtherWithIt(t *testing.T) {
	c := newCompany(t)
	var recovered any
	c.inTurn(
		func() { _ = c.db.Tx(t.Context(), insert("a")) },
		func() {
			defer func() { recovered = recover() }()
			_ = c.db.Tx(t.Context(), func(tx *Tx) error {
				_ = insert("b")(tx)
				panic("no")
			})
		},
		func() { _ = c.db.Tx(t.Context(), insert("c")) },
	)
	if recovered != "no" {
		t.Errorf("recovered %v", recovered)
	}
	c.want([]string{"a", "c"}, c.names(c.db.Read))
}

// SQLite undoes all of a transaction when it cuts off a statement that writes.
func TestWhatWasUndoneWithATransactionThatWasCutOffIsCarriedOutAnew(t *testing.T) {
	c := newCompany(t)
	ctx, cut := context.WithCancel(t.Context())
	times := 0
	errs := c.together(func(tx *Tx) error {
		times++
		return insert("a")(tx)
	}, func(tx *Tx) error {
		time.AfterFunc(50*time.Millisecond, cut)
		_, err := tx.ExecContext(ctx, `INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n`)
		return err
	}, insert("c"))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("errors: %v", errs)
	}
	if times != 2 {
		t.Errorf("the first one was carried out %d times", times)
	}
	if names := c.names(c.db.Read); len(names) != 2 {
		t.Errorf("names: %.10q", names)
	}
}

func TestWhoeverGivesUpWaitingHoldsUpNobody(t *testing.T) {
	c := newCompany(t)
	ctx, giveUp := context.WithCancel(t.Context())
	var left, first error
	c.inTurn(
		func() {
			first = c.db.Tx(t.Context(), func(tx *Tx) error {
				giveUp()
				return insert("a")(tx)
			})
		},
		func() { left = c.db.Tx(ctx, insert("b")) },
	)
	if first != nil || !errors.Is(left, context.Canceled) {
		t.Errorf("first: %v, who gave up: %v", first, left)
	}
	c.want([]string{"a"}, c.names(c.db.Read))
}

func TestATransactionWhoseTimeIsOverBeforeItsCommitIsUndone(t *testing.T) {
	c := newCompany(t)
	ctx, end := context.WithCancel(t.Context())
	err := c.db.Tx(ctx, func(tx *Tx) error {
		defer end()
		return insert("a")(tx)
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c.want([]string{}, c.names(c.db.Read))
}
