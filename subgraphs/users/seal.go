package users

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// derivedKey is a key for one purpose, made of the services' secret.
func (s *Service) derivedKey(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, s.cfg.Secret, nil, "agora/users "+purpose, 32)
	if err != nil {
		panic(fmt.Sprintf("derive key for %s: %v", purpose, err)) // only a length of kilobytes fails
	}
	return key
}

func (s *Service) aead() cipher.AEAD {
	block, err := aes.NewCipher(s.derivedKey("signing keys"))
	if err != nil {
		panic(err) // 32 bytes are always a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// seal encrypts a private seed (AES-256-GCM), so that a copy of the database is no licence to sign tokens.
func (s *Service) seal(kid string, seed []byte) string {
	return base64.StdEncoding.EncodeToString(s.aead().Seal(nil, nil, seed, []byte(kid)))
}

// open is the inverse of seal, with an empty key if the row was sealed under another secret.
func (s *Service) open(k signingKey) jose.JSONWebKey {
	sealed, err := base64.StdEncoding.DecodeString(k.Sealed)
	if err != nil {
		return jose.JSONWebKey{}
	}
	seed, err := s.aead().Open(nil, nil, sealed, []byte(k.ID))
	if err != nil || len(seed) != ed25519.SeedSize {
		return jose.JSONWebKey{}
	}
	return jose.JSONWebKey{Key: ed25519.NewKeyFromSeed(seed), KeyID: k.ID, Algorithm: string(jose.EdDSA), Use: "sig"}
}
