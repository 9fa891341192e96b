package mail

import (
	"context"
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
)

// folder writes messages into files.
type folder struct{ path string }

// Send writes the message into ID.eml, whole or not at all.
func (f folder) Send(_ context.Context, m Message) error {
	if m.ID == "" || strings.ContainsAny(m.ID, `/\`) {
		return fmt.Errorf("write mail: %q can't be the name of a file", m.ID)
	}
	from, err := netmail.ParseAddress(defaultFrom)
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	msg, err := letter(from, m)
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	// The text holds tokens, so nobody else reads it.
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	half, err := os.CreateTemp(f.path, ".half-*")
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	defer os.Remove(half.Name()) // finds nothing once it has its name
	_, err = msg.WriteTo(half)
	if closed := half.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(half.Name(), filepath.Join(f.path, m.ID+".eml"))
	}
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	return nil
}
