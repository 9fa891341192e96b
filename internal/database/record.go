//go:build record

package database

import (
	"context"
	"database/sql/driver"
	"encoding/gob"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// In programs that are built with the tag record, what is written to a database of SQLite is written down, too: each
// transaction when it commits, in a file of the folder that the environment variable AGORA_RECORD names. tools/chaos measures
// a shop beside nothing but its writes.
func init() {
	folder := os.Getenv("AGORA_RECORD")
	if folder == "" {
		return
	}
	var mu sync.Mutex
	records := map[string]*record{}
	recording = func(made driver.Conn, database string) driver.Conn {
		mu.Lock()
		defer mu.Unlock()
		r := records[database]
		if r == nil {
			file, err := os.Create(filepath.Join(folder, database+".writes"))
			if err != nil {
				fmt.Fprintln(os.Stderr, "AGORA_RECORD:", err)
				os.Exit(1)
			}
			r = &record{encoder: gob.NewEncoder(file)}
			records[database] = r
		}
		return &recordingConn{passing{made}, r, nil}
	}
}

// record is the file of a database.
type record struct {
	mu      sync.Mutex
	encoder *gob.Encoder
}

// recordingConn writes down what it hands on.
type recordingConn struct {
	passing
	record *record
	// done is what the open transaction has done.
	done []Written
}

func (c *recordingConn) note(query string, args []driver.NamedValue) {
	if strings.HasPrefix(strings.TrimSpace(query), "SELECT") {
		return
	}
	w := Written{Statement: query}
	for _, a := range args {
		w.Args = append(w.Args, Arg{a.Value})
	}
	c.done = append(c.done, w)
}

// QueryContext carries out a query, which may write.
func (c *recordingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.note(query, args)
	return c.passing.QueryContext(ctx, query, args)
}

// ExecContext carries out what returns no rows.
func (c *recordingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.note(query, args)
	return c.passing.ExecContext(ctx, query, args)
}

// BeginTx begins a transaction.
func (c *recordingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.done = nil
	tx, err := c.passing.BeginTx(ctx, opts)
	return recordingTx{tx, c}, err
}

// recordingTx is a transaction that is written down at its end.
type recordingTx struct {
	driver.Tx
	conn *recordingConn
}

// Commit commits.
func (t recordingTx) Commit() error {
	if err := t.Tx.Commit(); err != nil || len(t.conn.done) == 0 {
		return err
	}
	t.conn.record.mu.Lock()
	defer t.conn.record.mu.Unlock()
	return t.conn.record.encoder.Encode(t.conn.done)
}
