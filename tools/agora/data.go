package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder keeps other processes from a data folder until the returned function is called, or the process ends.
func lockFolder(folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	// The kernel lets go of it when the process ends, however it ends.
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(file.Name())
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("data folder %s is in use by another agora (process %s): stop it, or name another folder by --data", folder, holder)
		}
		return nil, fmt.Errorf("data folder: lock: %w", err)
	}
	if err := errors.Join(file.Truncate(0), writeString(file, fmt.Sprint(os.Getpid()))); err != nil {
		file.Close()
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return func() {
		// Closing it would not do while a process that is being started has it, too.
		_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
		file.Close()
	}, nil
}

func writeString(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

// readSecret is the secret that the services of this folder share; made at the first start.
func readSecret(folder string) ([]byte, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	name := filepath.Join(folder, "secret")
	secret, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		secret = make([]byte, minSecret)
		rand.Read(secret)
		err = os.WriteFile(name, secret, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return secret, checkSecret(name, secret)
}

// storedSecret is the secret of a folder where a shop has run.
func storedSecret(folder string) ([]byte, error) {
	name := filepath.Join(folder, "secret")
	secret, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return secret, checkSecret(name, secret)
}

func checkSecret(name string, secret []byte) error {
	if len(secret) < minSecret {
		return fmt.Errorf("data folder: %s holds %d bytes, not %d: remove it, and everybody has to log in again", name, len(secret), minSecret)
	}
	return nil
}
