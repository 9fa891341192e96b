package users

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// check collects what is wrong with an input, so that the caller learns all of it at once.
type check struct{ refused refused }

// err is the refusal, or nil if nothing is wrong.
func (c *check) err() error {
	if len(c.refused) > 0 {
		return c.refused
	}
	return nil
}

func (c *check) add(r refused) { c.refused = append(c.refused, r...) }

func (c *check) invalid(field, format string, args ...any) {
	c.add(refuse(gen.AuthErrorCodeInvalidInput, format, args...).at("input", field))
}

// line reads a line of text that must not be empty: without spaces around it, in Unicode's composed form.
func (c *check) line(field, value string, limit int) string {
	text := c.optionalLine(field, &value, limit)
	if text == nil {
		if !c.has(field) {
			c.invalid(field, "%s is empty", field)
		}
		return ""
	}
	return *text
}

// optionalLine is line for a value that may be missing; an empty one counts as missing.
func (c *check) optionalLine(field string, value *string, limit int) *string {
	if value == nil {
		return nil
	}
	text := norm.NFC.String(strings.TrimSpace(*value))
	switch {
	case !utf8.ValidString(*value) || strings.ContainsFunc(text, breaks):
		c.invalid(field, "%s contains control characters or line breaks", field)
	case utf8.RuneCountInString(text) > limit:
		c.invalid(field, "%s is longer than %d characters", field, limit)
	case strings.ContainsFunc(text, visible):
		return &text
	}
	return nil
}

// key checks an idempotency key.
func (c *check) key(field, value string) {
	if !idempotency.Valid(value) || strings.ContainsFunc(value, breaks) {
		c.invalid(field, "%s has 1 to %d bytes and no control characters", field, idempotency.MaxLength)
	}
}

func (c *check) has(field string) bool {
	for _, e := range c.refused {
		if len(e.Field) > 1 && e.Field[1] == field {
			return true
		}
	}
	return false
}

// breaks reports whether a character can't be in a line. Those that embed a direction are fine: names are
// written in all scripts.
func breaks(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

func visible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// maxEmail is the longest address that mail can be sent to (RFC 5321, erratum 1690).
const maxEmail = 254

// email reads an e-mail address.
func (c *check) email(field, value string) string {
	address := norm.NFC.String(strings.TrimSpace(value))
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > maxEmail || strings.ContainsFunc(address, breaks) || !deliverable(address) {
		c.invalid(field, "this is no e-mail address: it looks like name@example.com")
		return ""
	}
	return address
}

// deliverable reports whether the part behind the @ can be a domain name.
func deliverable(address string) bool {
	at := strings.LastIndexByte(address, '@')
	labels := strings.Split(address[at+1:], ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsAny(label, "[]_ \"") {
			return false
		}
	}
	return at > 0 && at <= 64 && len(labels) > 1
}

// emailKey is what makes two spellings of an address the same one. The part before the @ could be told apart
// by case in theory; no provider does, and two accounts that differ by case only are a trap.
func emailKey(address string) string { return fold(strings.TrimSpace(address)) }

// fold makes texts equal that differ in case or in the form of their accents.
func fold(s string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(s))) }
