package webhook

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// ErrNoKey says that there is no key to seal secrets with: see Config.Key.
var ErrNoKey = errors.New("webhook: no key to seal secrets with is configured")

// seal encrypts a secret for the database (AES-256-GCM). The endpoint's id is bound to it, so that a sealed secret
// is worth nothing in another row.
func (q *Queue) seal(secret, endpointID string) (string, error) {
	aead, err := q.cipher()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return base64.RawStdEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(secret), []byte(endpointID))), nil
}

// open is the inverse of seal.
func (q *Queue) open(sealed, endpointID string) (string, error) {
	aead, err := q.cipher()
	if err != nil {
		return "", err
	}
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil || len(raw) < aead.NonceSize() {
		return "", fmt.Errorf("webhook: the sealed secret of %s is damaged", endpointID)
	}
	secret, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(endpointID))
	if err != nil {
		return "", fmt.Errorf("webhook: open the secret of %s, which another key may have sealed: %w", endpointID, err)
	}
	return string(secret), nil
}

func (q *Queue) cipher() (cipher.AEAD, error) {
	if len(q.cfg.Key) == 0 {
		return nil, ErrNoKey
	}
	key, err := hkdf.Key(sha256.New, q.cfg.Key, nil, "agora webhook secrets", 32)
	if err != nil {
		return nil, fmt.Errorf("webhook: derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return cipher.NewGCM(block)
}
