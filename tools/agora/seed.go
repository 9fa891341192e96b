package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"time"

	"github.com/agora-supergraph/agora/subgraphs/inventory"
	"github.com/agora-supergraph/agora/subgraphs/users"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// account is one of the accounts that every development shop has.
type account struct {
	name, email, password string
	roles                 []gen.Role
}

// The accounts of a development shop. Their passwords are no secret.
var accounts = []account{
	{"Ada Customer", "ada@agora.example", "correct-horse-battery", []gen.Role{gen.RoleCustomer}},
	{"Sam Staff", "staff@agora.example", "staff-horse-battery", []gen.Role{gen.RoleAdmin}},
}

// seeded is the account as it is at first.
func (a account) seeded() users.Account {
	return users.Account{
		Email: a.email, DisplayName: a.name, Password: a.password, Roles: a.roles,
		Address: &gen.AddressInput{Name: a.name, Line1: "Marktplatz 1", City: "Jena", PostalCode: "07743", CountryCode: "DE", IsDefault: true},
	}
}

// seed fills an empty shop: catalogue, stock and accounts. It does nothing to one that is filled, and finishes what
// an earlier start has begun.
func (s *shop) seed(ctx context.Context, out io.Writer) error {
	progress := meter{out: out, what: "catalogue"}
	if err := s.products.Seed(ctx, progress.show); err != nil {
		return fmt.Errorf("seed catalogue: %w", err)
	}
	progress.end()
	if err := s.seedStock(ctx); err != nil {
		return fmt.Errorf("seed stock: %w", err)
	}
	for _, a := range accounts {
		if _, err := s.users.EnsureAccount(ctx, a.seeded()); err != nil {
			return fmt.Errorf("seed account %s: %w", a.email, err)
		}
	}
	return nil
}

// stockBatch is how many variants get units in one transaction: a catalogue that was imported may have more than an engine
// takes in a statement.
const stockBatch = 5_000

// seedStock gives units to all variants that have never had any.
func (s *shop) seedStock(ctx context.Context) error {
	variants, err := s.products.VariantIDs(ctx)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(variants, stockBatch) {
		if err := s.seedStockOf(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) seedStockOf(ctx context.Context, variants []string) error {
	known, err := s.inventory.Levels(ctx, variants)
	if err != nil {
		return err
	}
	var lines []inventory.Line
	for _, v := range variants {
		if known[v].Version <= 1 { // nothing has ever moved
			lines = append(lines, inventory.Line{VariantID: v, Quantity: firstStock(v)})
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return s.inventory.Receive(ctx, lines, "first stock")
}

// firstStock is how many units of a variant there are at first: always the same for the same variant; a few are
// low and a few sold out, as in any shop.
func firstStock(variant string) int64 {
	h := fnv.New32a()
	io.WriteString(h, variant)
	n := int64(h.Sum32() % 200)
	switch {
	case n < 6:
		return 0
	case n < 16:
		return n%4 + 1
	}
	return n
}

// meter shows the progress of what takes longer than a second.
type meter struct {
	out   io.Writer
	what  string
	begun time.Time
	shown bool
}

func (m *meter) show(done, total int) {
	if m.begun.IsZero() {
		m.begun = time.Now()
	}
	if time.Since(m.begun) > time.Second {
		fmt.Fprintf(m.out, "\r%s: %d of %d", m.what, done, total)
		m.shown = true
	}
}

func (m *meter) end() {
	if m.shown {
		fmt.Fprintln(m.out)
	}
}
