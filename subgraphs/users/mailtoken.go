package users

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// mailTokenPrefix lets scanners for leaked secrets recognise our tokens.
const mailTokenPrefix = "agora_mt_"

// newMailToken stores the digest of a new token for one purpose, and returns the token: behind the link, if there
// is one.
func (s *Service) newMailToken(ctx context.Context, accountID string, purpose mailKind, life time.Duration, link string) (string, error) {
	token := mailTokenPrefix + rand.Text() + rand.Text() // of 128 bits each
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO mail_token (hash, account_id, purpose, expires_us) VALUES ($1, $2, $3, $4)`,
			mailTokenHash(token), accountID, purpose, database.Micros(s.cfg.Now().Add(life)))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make token for %s: %w", purpose, err)
	}
	return link + token, nil
}

func mailTokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func errTokenInvalid() error {
	return refuse(gen.AuthErrorCodeTokenInvalid, "this token is not ours, has expired, or was used: ask for another message").at("input", "token")
}

// holderOf is the account that a token was sent to. The token stays good: see spendMailToken.
func (s *Service) holderOf(ctx context.Context, token string, purpose mailKind) (account, error) {
	var a account
	err := s.db.Read.GetContext(ctx, &a, `
		SELECT `+accountColumns+` FROM account
		WHERE id = (SELECT account_id FROM mail_token WHERE hash = $1 AND purpose = $2 AND expires_us > $3)`,
		mailTokenHash(token), purpose, s.micros())
	if database.NoRows(err) {
		return account{}, errTokenInvalid()
	}
	if err != nil {
		return account{}, fmt.Errorf("look up token for %s: %w", purpose, err)
	}
	return a, nil
}

// spendMailToken uses a token up, and with it all others of the account for the same purpose. The account is
// locked, so that of two who use tokens of one account the second finds none.
func (s *Service) spendMailToken(ctx context.Context, tx *database.Tx, accountID, token string, purpose mailKind) error {
	var hashes []string
	err := tx.SelectContext(ctx, &hashes, `
		DELETE FROM mail_token WHERE account_id = $1 AND purpose = $2 AND expires_us > $3 RETURNING hash`,
		accountID, purpose, s.micros())
	if err != nil {
		return fmt.Errorf("use token for %s: %w", purpose, err)
	}
	if !slices.Contains(hashes, mailTokenHash(token)) {
		return errTokenInvalid()
	}
	return nil
}

// forgetMailTokens removes tokens that have expired.
func (s *Service) forgetMailTokens(ctx context.Context) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM mail_token WHERE expires_us < $1`, s.micros()); err != nil {
			return fmt.Errorf("forget tokens: %w", err)
		}
		return nil
	})
}
