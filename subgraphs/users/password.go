package users

import (
	"bufio"
	"context"
	_ "embed" // for the list of common passwords
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// The length of passwords, in characters (NIST SP 800-63B-4, with room for passphrases).
const (
	minPassword = 8
	maxPassword = 128
)

// minDistinct is how many different characters a password has: fewer are a pattern and no secret.
const minDistinct = 4

//go:embed common_passwords.txt
var commonPasswordsText string

// commonPasswords is made when the first password is set.
var commonPasswords = sync.OnceValue(func() map[string]bool {
	common := map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(commonPasswordsText))
	for lines.Scan() {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "# ") && line != "#" {
			common[line] = true
		}
	}
	return common
})

// password checks a new password. There are no rules about kinds of characters: they make passwords worse.
func (c *check) password(field, password string, personal ...string) {
	weak := func(format string, args ...any) {
		c.add(refuse(gen.AuthErrorCodePasswordTooWeak, format, args...).at("input", field))
	}
	password = norm.NFKC.String(password)
	folded := fold(password)
	length := utf8.RuneCountInString(password)
	switch {
	case length < minPassword:
		weak("the password has %d characters: it needs at least %d", length, minPassword)
	case length > maxPassword:
		weak("the password is longer than %d characters", maxPassword)
	case distinct(password) < minDistinct:
		weak("the password repeats the same few characters")
	case commonPasswords()[folded]:
		c.add(refuse(gen.AuthErrorCodePasswordBreached, "this password is on lists of leaked passwords: choose another one").at("input", field))
	case isPersonal(folded, personal):
		weak("the password is your name or e-mail address")
	}
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

func isPersonal(folded string, personal []string) bool {
	for _, p := range personal {
		p = fold(p)
		local, _, _ := strings.Cut(p, "@")
		if folded == p || folded == local {
			return true
		}
	}
	return false
}

// authenticate finds the account of an e-mail address and password. Nothing in its answer, nor the time that it
// takes, tells an address that is not known from a password that is wrong.
func (s *Service) authenticate(ctx context.Context, email, password string) (account, error) {
	leave, err := s.queue()
	if err != nil {
		return account{}, err
	}
	defer leave()
	if err := s.attempt(ctx, email); err != nil {
		return account{}, err
	}
	a, err := s.accountByEmail(ctx, emailKey(email))
	if err != nil {
		return account{}, err
	}
	if utf8.RuneCountInString(password) > maxPassword {
		password = "" // nobody has it, and it costs as much as any other
	}
	ok, outdated, err := s.hasher.verify(ctx, password, a.Password)
	if err != nil {
		return account{}, fmt.Errorf("verify password: %w", err)
	}
	if !ok {
		if err := s.auditFailure(ctx, a.ID); err != nil {
			return account{}, err
		}
		return account{}, refuse(gen.AuthErrorCodeInvalidCredentials, "the e-mail address or the password is wrong")
	}
	if outdated {
		return s.rehash(ctx, a, password)
	}
	return a, nil
}

// auditFailure notes that a password was wrong, in a transaction whoever the account belongs to.
func (s *Service) auditFailure(ctx context.Context, userID string) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		return s.audit(ctx, tx, gen.SecurityEventTypeLoginFailed, userID, "")
	})
}

// rehash replaces a hash of another cost, unless the password has been changed meanwhile.
func (s *Service) rehash(ctx context.Context, a account, password string) (account, error) {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return account{}, fmt.Errorf("hash password: %w", err)
	}
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE account SET password = $1 WHERE id = $2 AND password = $3`, hash, a.ID, a.Password)
		return err
	})
	if err != nil {
		return account{}, fmt.Errorf("rehash password of %s: %w", a.ID, err)
	}
	a.Password = hash
	return a, nil
}

// changePassword sets another password and ends all other sessions of the user.
func (s *Service) changePassword(ctx context.Context, in gen.PasswordChangeInput) (account, error) {
	who, err := s.person(ctx)
	if err != nil {
		return account{}, err
	}
	a, err := accountByID(ctx, s.db.Read, who.Subject)
	if err != nil {
		return account{}, fmt.Errorf("account %s: %w", who.Subject, err)
	}
	c := &check{}
	c.password("newPassword", in.NewPassword, a.Email, a.DisplayName)
	if in.NewPassword == in.CurrentPassword {
		c.add(refuse(gen.AuthErrorCodePasswordTooWeak, "the new password is the current one").at("input", "newPassword"))
	}
	if err := c.err(); err != nil {
		return account{}, err
	}
	if a, err = s.confirm(ctx, a, in.CurrentPassword); err != nil {
		return account{}, err
	}
	leave, err := s.queue()
	if err != nil {
		return account{}, err
	}
	hash, err := s.hasher.hash(ctx, in.NewPassword)
	leave()
	if err != nil {
		return account{}, fmt.Errorf("hash password: %w", err)
	}
	return a, s.replacePassword(ctx, a, hash, who)
}

// confirm checks that whoever asks knows the password of their account.
func (s *Service) confirm(ctx context.Context, a account, currentPassword string) (account, error) {
	a, err := s.authenticate(ctx, a.Email, currentPassword)
	if r, _ := userErrors(err); len(r) > 0 && r[0].Code == gen.AuthErrorCodeInvalidCredentials {
		return account{}, errCurrentPassword()
	}
	return a, err
}

func errCurrentPassword() error {
	return refuse(gen.AuthErrorCodeInvalidCredentials, "this is not your current password").at("input", "currentPassword")
}

// replacePassword stores the hash, if the password is still the one that was verified.
func (s *Service) replacePassword(ctx context.Context, a account, hash string, who identity.Identity) error {
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		now, err := lockAccount(ctx, tx, a.ID)
		if err != nil {
			return fmt.Errorf("lock account %s: %w", a.ID, err)
		}
		if now.Password != a.Password {
			return errCurrentPassword()
		}
		if _, err := tx.ExecContext(ctx, `UPDATE account SET password = $1 WHERE id = $2`, hash, a.ID); err != nil {
			return fmt.Errorf("change password of %s: %w", a.ID, err)
		}
		if err := forgive(ctx, tx, a.EmailKey); err != nil {
			return err
		}
		if _, err := s.revoke(ctx, tx, a.ID, "", who.Session, revokedForPassword); err != nil {
			return err
		}
		if err := s.audit(ctx, tx, gen.SecurityEventTypePasswordChanged, a.ID, ""); err != nil {
			return err
		}
		if err := s.post(ctx, tx, mailPasswordChanged, a.Email); err != nil {
			return err
		}
		return s.outbox.Append(ctx, tx, event.New(eventPasswordChanged, a.ID, passwordChanged{a.ID}))
	})
	s.outbox.Wake()
	s.wakeMailer()
	return err
}
