package users

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// maxDisplayName is the longest display name, in characters.
const maxDisplayName = 80

// applicant is who wants an account, checked.
type applicant struct {
	email, displayName, password string
	roles                        []gen.Role
	address                      *address
	// verified says that the address need not be shown to be theirs.
	verified bool
}

func readApplicant(email, displayName, password string) (applicant, *check) {
	c := &check{}
	a := applicant{
		email:       c.email("email", email),
		displayName: c.line("displayName", displayName, maxDisplayName),
		password:    password,
		roles:       []gen.Role{gen.RoleCustomer},
	}
	c.password("password", password, a.email, a.displayName)
	return a, c
}

// registration is the stored answer of a registration.
type registration struct {
	UserID string `json:"userId"`
}

// register creates an account. The same idempotency key gives the same account again; it is looked up before
// anything is hashed, and claimed in the transaction that creates the account.
func (s *Service) register(ctx context.Context, in gen.RegisterInput) (account, error) {
	a, c := readApplicant(in.Email, in.DisplayName, in.Password)
	if in.IdempotencyKey != nil {
		c.key("idempotencyKey", *in.IdempotencyKey)
	}
	if err := c.err(); err != nil {
		return account{}, err
	}
	// In this order, since a registration that runs beside this one may end between the two questions.
	holder, err := s.accountByEmail(ctx, emailKey(a.email))
	if err != nil {
		return account{}, err
	}
	key := s.registrationKey(ctx, a, in.IdempotencyKey)
	if key != nil {
		status, answer, err := idempotency.Look(ctx, s.db.Read, *key)
		if err != nil {
			return account{}, err
		}
		if status != idempotency.Claimed {
			return s.repeated(ctx, s.db.Read, status, answer)
		}
	}
	if holder.ID != "" {
		return account{}, errEmailTaken()
	}
	return s.create(ctx, a, key)
}

func errEmailTaken() error {
	return refuse(gen.AuthErrorCodeEmailTaken, "there is an account with this e-mail address already").at("input", "email")
}

// registrationKey is nil without an idempotency key. The password goes into the digest under the services'
// secret: a plain digest in the database would be an invitation to guess it.
func (s *Service) registrationKey(ctx context.Context, a applicant, key *string) *idempotency.Key {
	if key == nil {
		return nil
	}
	mac := hmac.New(sha256.New, s.derivedKey("registration password"))
	mac.Write([]byte(a.password))
	return &idempotency.Key{
		Scope: identity.From(ctx).Actor(), Operation: "register", Key: *key,
		Request: idempotency.Digest([]string{emailKey(a.email), a.displayName, hex.EncodeToString(mac.Sum(nil))}),
	}
}

// repeated answers a registration whose key has been used.
func (s *Service) repeated(ctx context.Context, q database.Querier, status idempotency.Status, answer []byte) (account, error) {
	switch status {
	case idempotency.Reused:
		return account{}, refuse(gen.AuthErrorCodeInvalidInput, "this idempotency key was used for another registration").at("input", "idempotencyKey")
	case idempotency.InProgress:
		return account{}, refuse(gen.AuthErrorCodeInvalidInput, "the registration with this idempotency key is still in progress").at("input", "idempotencyKey")
	}
	var r registration
	if err := json.Unmarshal(answer, &r); err != nil {
		return account{}, fmt.Errorf("decode stored registration: %w", err)
	}
	return accountByID(ctx, q, r.UserID)
}

// create hashes the password and stores the account.
func (s *Service) create(ctx context.Context, a applicant, key *idempotency.Key) (account, error) {
	leave, err := s.queue()
	if err != nil {
		return account{}, err
	}
	hash, err := s.hasher.hash(ctx, a.password)
	leave()
	if err != nil {
		return account{}, fmt.Errorf("hash password: %w", err)
	}
	row := account{
		ID: id.New(id.User), Email: a.email, EmailKey: emailKey(a.email), DisplayName: a.displayName,
		Password: hash, Roles: joinRoles(a.roles), CreatedUs: s.micros(),
	}
	if a.verified {
		row.VerifiedUs = &row.CreatedUs
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		if key != nil {
			status, answer, err := idempotency.Claim(ctx, tx, *key)
			if err != nil {
				return err
			}
			if status != idempotency.Claimed {
				row, err = s.repeated(ctx, tx, status, answer)
				return err
			}
		}
		return s.insert(ctx, tx, &row, a.address, key)
	})
	if err != nil {
		return account{}, err
	}
	s.outbox.Wake()
	s.wakeMailer()
	return row, fault.Point("users.registered")
}

func (s *Service) insert(ctx context.Context, tx *database.Tx, row *account, home *address, key *idempotency.Key) error {
	fresh, err := insertAccount(ctx, tx, row)
	if err != nil {
		return err
	}
	if !fresh {
		return errEmailTaken()
	}
	if home != nil {
		home.AccountID, home.IsDefault, home.CreatedUs = row.ID, true, row.CreatedUs
		if err := insertAddress(ctx, tx, home); err != nil {
			return err
		}
	}
	if key != nil {
		if err := idempotency.Complete(ctx, tx, *key, registration{row.ID}); err != nil {
			return err
		}
	}
	if row.VerifiedUs == nil {
		if err := s.post(ctx, tx, mailVerification, row.Email); err != nil {
			return err
		}
	}
	if err := fault.Point("users.register.stored"); err != nil {
		return err
	}
	return s.outbox.Append(ctx, tx, event.New(eventRegistered, row.ID, registered{
		UserID: row.ID, Roles: splitRoles(row.Roles), RegisteredAt: database.Time(row.CreatedUs),
	}))
}

// queue takes a place among those who wait for a hash, or says when to come back.
func (s *Service) queue() (leave func(), err error) {
	leave, ok := s.hasher.enter()
	if !ok {
		return nil, wait(s.cfg.Now().Add(2*time.Second), "too many people are signing in at this moment: try again in a few seconds")
	}
	return leave, nil
}

// Account is one that EnsureAccount creates.
type Account struct {
	Email, DisplayName, Password string
	// Roles are all its roles. Nil means CUSTOMER.
	Roles []gen.Role
	// Address becomes its default address. Nil means none.
	Address *gen.AddressInput
}

// EnsureAccount creates an account unless there is one with its e-mail address, which is left as it is. It
// returns the user's id in either case. The address counts as verified: whoever calls this vouches for it.
func (s *Service) EnsureAccount(ctx context.Context, want Account) (userID string, err error) {
	a, c := readApplicant(want.Email, want.DisplayName, want.Password)
	if len(want.Roles) > 0 {
		a.roles = want.Roles
	}
	a.verified = true
	if want.Address != nil {
		a.address = c.address(*want.Address)
	}
	if err := c.err(); err != nil {
		return "", fmt.Errorf("ensure account %s: %w", want.Email, err)
	}
	holder, err := s.accountByEmail(ctx, emailKey(a.email))
	if err != nil || holder.ID != "" {
		return holder.ID, err
	}
	row, err := s.create(ctx, a, nil)
	if r, _ := userErrors(err); len(r) > 0 && r[0].Code == gen.AuthErrorCodeEmailTaken { // by another replica, since
		row, err = s.accountByEmail(ctx, emailKey(a.email))
	}
	if err != nil {
		return "", fmt.Errorf("ensure account %s: %w", want.Email, err)
	}
	return row.ID, nil
}
