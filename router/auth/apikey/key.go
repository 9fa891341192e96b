// Package apikey lets partners' programs show who they are: a key in a header comes in, auth.Claims with the name of the client
// go out.
//
// A key is made of 256 random bits, and stored as its SHA-256. A slow hash, as passwords need it, would add nothing: nobody can
// try 2^256 keys, and a request would pay for it every time. It begins with agk_, so that scanners of repositories and logs know
// it, and ends with a checksum, so that what is mistyped or made up is refused without a look into the store. In between stands
// the key's own id, by which it is found, listed and revoked.
//
//	agk_4hJ2mPq8_sZ…43 characters…b8QyTw
//	prefix, id, secret with CRC-32 in 6 characters
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// Prefix begins every key.
const Prefix = "agk_"

const (
	idLength     = 8
	secretLength = 43 // 62^43 > 2^256
	checkLength  = 6  // 62^6 > 2^32
	keyLength    = len(Prefix) + idLength + 1 + secretLength + checkLength
	digits       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Pattern finds keys in texts, for scanners of secrets.
var Pattern = regexp.MustCompile(`\bagk_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}\b`)

// Record is what is stored of a key: nothing that can be used in its place.
type Record struct {
	// ID is the key's name, not secret.
	ID string `json:"id"`
	// Client is whose key it is.
	Client string `json:"client"`
	// SHA256 is the hash of the whole key, in hexadecimal.
	SHA256 string `json:"sha256"`
	// Scopes are what requests with the key may do.
	Scopes []string `json:"scopes,omitempty"`
	// Created is when it was made.
	Created time.Time `json:"created"`
	// Expires is when it ceases to be good; zero means never.
	Expires time.Time `json:"expires,omitzero"`
}

// Expired says whether the key is no longer good.
func (r Record) Expired(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

// Make makes a key. The text is to be shown once, to its owner; the record is to be stored.
func Make(client string, scopes []string, created, expires time.Time) (key string, r Record) {
	id := randomDigits(idLength)
	body := Prefix + id + "_" + randomDigits(secretLength)
	key = body + checksum(body)
	return key, Record{ID: id, Client: client, SHA256: hash(key), Scopes: scopes, Created: created, Expires: expires}
}

func randomDigits(n int) string {
	b := make([]byte, n)
	base := big.NewInt(int64(len(digits)))
	for i := range b {
		d, err := rand.Int(rand.Reader, base)
		if err != nil {
			panic("random numbers: " + err.Error()) // crypto/rand never fails
		}
		b[i] = digits[d.Int64()]
	}
	return string(b)
}

func checksum(body string) string {
	var b [checkLength]byte
	sum := crc32.ChecksumIEEE([]byte(body))
	for i := checkLength - 1; i >= 0; i-- {
		b[i] = digits[sum%uint32(len(digits))]
		sum /= uint32(len(digits))
	}
	return string(b[:])
}

func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// idOf returns the id of a key that has the form and the checksum of one.
func idOf(key string) (id string, ok bool) {
	if len(key) != keyLength || !strings.HasPrefix(key, Prefix) || key[len(Prefix)+idLength] != '_' {
		return "", false
	}
	body := key[:keyLength-checkLength]
	if checksum(body) != key[keyLength-checkLength:] {
		return "", false
	}
	return key[len(Prefix) : len(Prefix)+idLength], true
}

// matches compares in a time that does not depend on where the hashes differ.
func (r Record) matches(key string) bool {
	return subtle.ConstantTimeCompare([]byte(hash(key)), []byte(r.SHA256)) == 1
}
