package users

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/mail"
)

// How long the tokens in mail are good, from when it is sent.
const (
	verificationLife = 24 * time.Hour
	resetLife        = time.Hour
)

// noticeLife is how long mail that tells of something is worth sending.
const noticeLife = 30 * 24 * time.Hour

// letterText is what a message says. There is nothing in it that the user has written: a stranger could register
// anybody's address, and have us send their words.
type letterText struct {
	subject string
	// text has a %s for the token, if the letter has one, or for the time that it speaks of.
	text string
	// life is how long the message is worth sending.
	life time.Duration
}

var letters = map[mailKind]letterText{
	mailVerification: {"Confirm your e-mail address", `Somebody, most likely you, has registered with this e-mail address.
To show that it is yours, use this within a day:

%s

If it was not you, you need not do anything.
`, verificationLife},
	mailReset: {"Choose a new password", `Somebody, most likely you, has asked for a new password for the account with this e-mail address.
To choose one, use this within an hour:

%s

If it was not you, you need not do anything: your password stays as it is.
`, resetLife},
	mailPasswordChanged: {"Your password was changed", `The password of your account was changed, and all other sessions were ended.

If it was not you, ask for a new password at once.
`, noticeLife},
	mailPasswordReset: {"Your password was changed", `The password of your account was changed by a message to this address, and all sessions were ended.

If it was not you, somebody reads your mail: change the password of your mailbox, and ask for a new one here.
`, noticeLife},
	mailDeletion: {"Your account will be erased", `Your account will be erased on %s, with all that is stored about you, and all sessions were ended.

To keep it, sign in before then and cancel that.
`, noticeLife},
	mailDeletionOff: {"Your account stays", `Your account will not be erased: that was cancelled.
`, noticeLife},
	mailErased: {"Your account was erased", `Your account was erased, as you have asked. This is our last message.
`, noticeLife},
}

// write makes the message of a row; wanted is false if it is of no use any more.
func (s *Service) write(ctx context.Context, m outgoing) (message mail.Message, wanted bool, err error) {
	letter, known := letters[m.Kind]
	if !known || m.ExpiresUs <= s.micros() {
		s.cfg.Log.WarnContext(ctx, "mail dropped: its time is over", "id", m.ID, "kind", m.Kind, "tries", m.Attempts)
		return mail.Message{}, false, nil
	}
	message = mail.Message{ID: m.ID, To: m.Recipient, Subject: letter.subject, Text: letter.text}
	if !strings.Contains(letter.text, "%s") {
		return message, true, nil
	}
	a, err := s.accountByEmail(ctx, emailKey(m.Recipient))
	if err != nil {
		return mail.Message{}, false, err
	}
	insert := ""
	switch {
	case a.ID == "", m.Kind == mailVerification && a.VerifiedUs != nil, m.Kind == mailDeletion && a.EraseUs == nil:
		return mail.Message{}, false, nil
	case m.Kind == mailVerification:
		insert, err = s.newMailToken(ctx, a.ID, m.Kind, verificationLife, s.cfg.VerifyLink)
	case m.Kind == mailReset:
		insert, err = s.newMailToken(ctx, a.ID, m.Kind, resetLife, s.cfg.ResetLink)
	default:
		insert = database.Time(*a.EraseUs).Format("2 January 2006 at 15:04 UTC")
	}
	// To the address that is stored: one that only looks alike, or folds to the same, is somebody else's.
	message.To, message.Text = a.Email, fmt.Sprintf(letter.text, insert)
	return message, err == nil, err
}
