// Package mail is the port that mail goes out by: in comes a message of plain text for one recipient, out it goes
// by SMTP, or, in development, into a folder or the log. A message may be sent twice by whoever could not know
// whether the first try succeeded; it has the same Message-ID then, by which mailboxes recognise it.
package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"net/url"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// Message is a letter to one person.
type Message struct {
	// ID names the message: what is sent again has the same one.
	ID string
	// To is the address, without a name.
	To string
	// Subject is one line.
	Subject string
	// Text is the body, plain.
	Text string
}

// Sender sends messages. It is safe for concurrent use.
type Sender interface {
	// Send returns when another has taken over the message, or with an error: ErrRefused if sending it again is
	// of no use.
	Send(ctx context.Context, m Message) error
}

// ErrRefused is wrapped by errors that say that a message will never reach its recipient.
var ErrRefused = errors.New("mail refused")

// defaultFrom is the sender's address where none is configured; its domain is reserved and receives nothing.
const defaultFrom = "Agora <no-reply@agora.example>"

// Open returns the sender that a URL names:
//
//	smtp://USER:PASSWORD@HOST:587?from=ADDRESS    by SMTP, encrypted by STARTTLS
//	smtps://USER:PASSWORD@HOST:465?from=ADDRESS   by SMTP over TLS
//	smtp://HOST:25?from=ADDRESS&tls=none          by SMTP to a relay near by, not encrypted
//	file:FOLDER                                   into files that mail programs open
//
// The empty URL notes in the log that there was a message, and keeps its text, which holds secrets, to itself.
func Open(rawURL string, log *slog.Logger) (Sender, error) {
	if rawURL == "" {
		return logged{log}, nil
	}
	if path, ok := strings.CutPrefix(rawURL, "file:"); ok && path != "" {
		return folder{path}, nil
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("open mail: this is no URL") // what url.Parse says would show the password
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, fmt.Errorf("open mail %s: want smtp://…, smtps://…, file:FOLDER or nothing", u.Redacted())
	}
	s, err := newSMTP(u)
	if err != nil {
		return nil, fmt.Errorf("open mail %s: %w", u.Redacted(), err)
	}
	return s, nil
}

// logged notes messages in the log.
type logged struct{ log *slog.Logger }

// Send notes that there was a message.
func (l logged) Send(ctx context.Context, m Message) error {
	l.log.InfoContext(ctx, "mail is not configured: a message stays here", "id", m.ID, "subject", m.Subject)
	return nil
}

// letter is the message in the format of RFC 5322.
func letter(from *netmail.Address, m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	msg.FromMailAddress(from)
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("%w: address of the recipient: %w", ErrRefused, err)
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	msg.SetMessageIDWithValue(m.ID + "@" + domain)
	msg.SetDate()
	// Answering machines leave such messages alone (RFC 3834).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.Subject(m.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}
