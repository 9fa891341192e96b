// Package idempotency makes a command that is sent twice happen once, by the semantics of Stripe's API
// (https://docs.stripe.com/api/idempotent_requests): the first answer is stored and given again, the same key
// with other parameters is refused, and so is a key whose first command is still running.
//
// A key is claimed in the transaction that begins the command's effect, and completed in the one that knows
// its answer: often the same.
package idempotency

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

//go:embed migrations
var migrations embed.FS

// Migrations is the table of keys, for database.Open.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err)
	}
	return sub
}

// MaxLength is the longest key, in bytes.
const MaxLength = 255

// Valid reports whether callers may choose a key.
func Valid(key string) bool { return key != "" && len(key) <= MaxLength && database.Storable(key) }

// Key names one command of one caller.
type Key struct {
	// Scope is who sent it: keys of different callers never meet.
	Scope string
	// Operation is the command's name, such as "checkout".
	Operation string
	// Key is what the caller chose.
	Key string
	// Request is the digest of the command's parameters: see Digest.
	Request string
}

// Digest is a digest of a command's parameters.
func Digest(parameters any) string {
	raw, err := json.Marshal(parameters)
	if err != nil {
		panic(fmt.Sprintf("encode parameters: %v", err))
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Status is what is known of a key.
type Status int

const (
	// Claimed means that the key is new and belongs to this command now.
	Claimed Status = iota
	// Done means that the command has been answered: give the stored answer again.
	Done
	// InProgress means that the first command with the key isn't answered yet.
	InProgress
	// Reused means that the key was used with other parameters.
	Reused
)

// Claim claims the key, or says what became of the command that has it, with its answer if there is one.
func Claim(ctx context.Context, tx *database.Tx, k Key) (Status, []byte, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO idempotency (scope, operation, key, request, created_us) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`, k.Scope, k.Operation, k.Key, k.Request, database.Micros(time.Now()))
	if err != nil {
		return 0, nil, fmt.Errorf("claim key: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return Claimed, nil, err
	}
	return Look(ctx, tx, k)
}

// Look says what became of the command that has the key, without claiming it: Claimed means that nobody has.
func Look(ctx context.Context, q database.Querier, k Key) (Status, []byte, error) {
	var found struct {
		Request  string
		Response *string
	}
	err := q.GetContext(ctx, &found, `
		SELECT request, response FROM idempotency WHERE scope = $1 AND operation = $2 AND key = $3`, k.Scope, k.Operation, k.Key)
	switch {
	case database.NoRows(err):
		return Claimed, nil, nil
	case err != nil:
		return 0, nil, fmt.Errorf("look up key: %w", err)
	case found.Request != k.Request:
		return Reused, nil, nil
	case found.Response == nil:
		return InProgress, nil, nil
	}
	return Done, []byte(*found.Response), nil
}

// Complete stores the answer, which is encoded as JSON.
func Complete(ctx context.Context, tx *database.Tx, k Key, answer any) error {
	raw, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE idempotency SET response = $1 WHERE scope = $2 AND operation = $3 AND key = $4`, string(raw), k.Scope, k.Operation, k.Key)
	if err != nil {
		return fmt.Errorf("complete key: %w", err)
	}
	return nil
}

// Prune forgets keys that are older than a time.
func Prune(ctx context.Context, db *database.DB, before time.Time) error {
	return db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE created_us < $1`, database.Micros(before))
		return err
	})
}
