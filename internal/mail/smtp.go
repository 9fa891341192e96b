package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"slices"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendTimeout bounds one message, from the connection to the server's word that it has it.
const sendTimeout = 30 * time.Second

// smtp hands messages to a server, over a connection each: mail is rare here.
type smtp struct {
	host    string
	tls     bool
	options []gomail.Option
	from    *netmail.Address
}

func newSMTP(u *url.URL) (*smtp, error) {
	from, err := netmail.ParseAddress(cmp.Or(u.Query().Get("from"), defaultFrom))
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	s := &smtp{host: u.Hostname(), from: from, options: []gomail.Option{gomail.WithTimeout(sendTimeout)}}
	port := 587
	switch encryption := u.Query().Get("tls"); {
	case u.Scheme == "smtps" && encryption == "":
		port, s.tls = 465, true
		s.options = append(s.options, gomail.WithSSL())
	case encryption == "none":
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS))
	case encryption == "":
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default:
		return nil, fmt.Errorf("tls=%s: want none, or leave it out", encryption)
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("port: %w", err)
		}
	}
	s.options = append(s.options, gomail.WithPort(port))
	if password, ok := u.User.Password(); ok {
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	_, err = gomail.NewClient(s.host, s.options...) // says now what is wrong with them
	return s, err
}

func (s *smtp) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.tls {
		return (&tls.Dialer{Config: &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// Send hands the message to the server.
func (s *smtp) Send(ctx context.Context, m Message) error {
	msg, err := letter(s.from, m)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	// The client leaves the connection open if it doesn't come to an understanding with the server.
	var conn net.Conn
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	client, err := gomail.NewClient(s.host, append(slices.Clip(s.options), gomail.WithDialContextFunc(
		func(ctx context.Context, network, address string) (_ net.Conn, err error) {
			conn, err = s.dial(ctx, network, address)
			return conn, err
		}))...)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, msg)
	// Only what the server says about the recipient is final: the rest may be a fault of ours, which gets mended.
	var failed *gomail.SendError
	if errors.As(err, &failed) && failed.Reason == gomail.ErrSMTPRcptTo && failed.ErrorCode() >= 500 {
		return fmt.Errorf("send mail: %w: %w", ErrRefused, err)
	}
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	return nil
}
