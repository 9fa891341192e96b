package identity

import (
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// ServiceTokenLife is how long a service token lasts.
const ServiceTokenLife = time.Minute

// ServiceToken signs the token by which a service asks another, with the scopes that it needs for that.
func ServiceToken(secret []byte, service string, scopes ...string) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, nil)
	if err != nil {
		return "", err
	}
	return sign(signer, ServiceIssuer, service, "", "", time.Now(), ServiceTokenLife, scopes)
}

// AccessToken signs the token of a user's session with one of the users service's keys.
func AccessToken(key jose.JSONWebKey, tokenID, userID, session string, now time.Time, life time.Duration, scopes []string) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return sign(signer, UsersIssuer, userID, session, tokenID, now, life, scopes)
}

func sign(s jose.Signer, issuer, subject, session, tokenID string, now time.Time, life time.Duration, scopes []string) (string, error) {
	return jwt.Signed(s).Claims(claims{
		Claims: jwt.Claims{
			Issuer: issuer, Subject: subject, ID: tokenID, Audience: jwt.Audience{Audience},
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(life)),
		},
		Scope:   strings.Join(scopes, " "),
		Session: session,
	}).Serialize()
}
