package users

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// PasswordCost is what one hash costs, by argon2id (RFC 9106).
type PasswordCost struct {
	// MemoryKiB is the memory that a hash fills. Zero means 19456 (19 MiB).
	MemoryKiB uint32
	// Passes is how often it is filled. Zero means 2.
	Passes uint32
	// Lanes is how many threads fill it. Zero means 1.
	Lanes uint8
}

// defaultCost is the first of the equal choices of OWASP's password storage cheat sheet.
var defaultCost = PasswordCost{MemoryKiB: 19456, Passes: 2, Lanes: 1}

// The bounds of a cost: below is what argon2 itself needs, above is a mistake.
const (
	maxMemoryKiB = 1 << 20
	maxPasses    = 64
	saltLength   = 16
	hashLength   = 32
)

func (c PasswordCost) valid() bool {
	return c.Lanes > 0 && c.Passes > 0 && c.Passes <= maxPasses && c.MemoryKiB >= 8*uint32(c.Lanes) && c.MemoryKiB <= maxMemoryKiB
}

// waitingPerSlot bounds the queue in front of each running hash: at a tenth of a second a hash, nobody waits
// longer than a couple of seconds, and whoever would is told to come back.
const waitingPerSlot = 16

// hasher hashes and verifies passwords, as many at once as there are cores and no more: each takes its memory
// and a core for a long time, which makes logins the cheapest way to exhaust the machine.
type hasher struct {
	cost PasswordCost
	// dummy is a hash that no password has; unknown users are verified against it, so that they take as long.
	dummy string
	// places holds a token for everyone who waits or runs, running for those who run.
	places, running chan struct{}
	// derived counts the hashes computed: what a login costs is a number of them, whoever it is for.
	derived atomic.Int64
}

func newHasher(cost PasswordCost) (*hasher, error) {
	if cost == (PasswordCost{}) {
		cost = defaultCost
	}
	if !cost.valid() {
		return nil, fmt.Errorf("password cost %+v: want 1 to %d passes, 1 lane or more, and memory from 8 KiB a lane to %d KiB", cost, maxPasses, maxMemoryKiB)
	}
	slots := runtime.NumCPU()
	h := &hasher{cost: cost, places: make(chan struct{}, slots*(1+waitingPerSlot)), running: make(chan struct{}, slots)}
	h.dummy = encodePHC(cost, random(saltLength), random(hashLength))
	return h, nil
}

// enter takes a place in the queue, which leave gives back; ok is false if the queue is full.
func (h *hasher) enter() (leave func(), ok bool) {
	select {
	case h.places <- struct{}{}:
		return func() { <-h.places }, true
	default:
		return nil, false
	}
}

// hash returns the PHC string of a password. The caller has a place in the queue.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := random(saltLength)
	sum, err := h.derive(ctx, password, salt, h.cost, hashLength)
	return encodePHC(h.cost, salt, sum), err
}

// verify reports whether a password has the hash, and whether the hash has another cost than new ones would. An
// empty hash is that of nobody. The caller has a place in the queue.
func (h *hasher) verify(ctx context.Context, password, phc string) (ok, outdated bool, err error) {
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	cost, salt, want, err := decodePHC(phc)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, password, salt, cost, uint32(len(want)))
	if err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(got, want) == 1
	return same && known, cost != h.cost, nil
}

func (h *hasher) derive(ctx context.Context, password string, salt []byte, c PasswordCost, length uint32) ([]byte, error) {
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h.derived.Add(1)
	// The same characters may be typed in several forms; NFKC makes them the same bytes (NIST SP 800-63B-4).
	return argon2.IDKey(norm.NFKC.Bytes([]byte(password)), salt, c.Passes, c.MemoryKiB, c.Lanes, length), nil
}

var phcBase64 = base64.RawStdEncoding

func encodePHC(c PasswordCost, salt, sum []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.MemoryKiB, c.Passes, c.Lanes,
		phcBase64.EncodeToString(salt), phcBase64.EncodeToString(sum))
}

func decodePHC(phc string) (c PasswordCost, salt, sum []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, fmt.Errorf("decode password hash: it is no argon2id PHC string of version %d", argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.MemoryKiB, &c.Passes, &c.Lanes); err != nil {
		return c, nil, nil, fmt.Errorf("decode password hash: parameters %q: %w", parts[3], err)
	}
	if !c.valid() {
		return c, nil, nil, fmt.Errorf("decode password hash: parameters %q are out of bounds", parts[3])
	}
	if salt, err = phcBase64.DecodeString(parts[4]); err != nil {
		return c, nil, nil, fmt.Errorf("decode password hash: salt: %w", err)
	}
	if sum, err = phcBase64.DecodeString(parts[5]); err != nil || len(sum) < hashLength/2 {
		return c, nil, nil, fmt.Errorf("decode password hash: the sum is damaged")
	}
	return c, salt, sum, nil
}

// random returns n bytes of the system's generator, which doesn't fail.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
