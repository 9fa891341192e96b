package serve

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// TLS says how HTTPS is spoken to clients. The files are read again when they change, for the connections that come then; as
// long as they can't be read, those read before stay. The zero value speaks plain HTTP.
type TLS struct {
	// CertFile is a PEM file of the certificate, followed by those between it and its authority.
	CertFile string `yaml:"cert_file"`
	// KeyFile is a PEM file of the certificate's private key.
	KeyFile string `yaml:"key_file"`
	// ClientCAFile is a PEM file of authorities: clients have to show a certificate of one of them. Empty asks for none.
	ClientCAFile string `yaml:"client_ca_file"`
}

func (t TLS) enabled() bool { return t != TLS{} }

// validate says what can't work whatever the files hold.
func (t TLS) validate() error {
	switch {
	case (t.CertFile == "") != (t.KeyFile == ""):
		return errors.New("tls: cert_file and key_file belong together")
	case t.ClientCAFile != "" && t.CertFile == "":
		return errors.New("tls.client_ca_file: clients show certificates over TLS only: cert_file and key_file are missing")
	}
	return nil
}

// load reads the files.
func (t TLS) load() (*tls.Config, error) {
	cert, err := os.ReadFile(t.CertFile)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file: %w", err)
	}
	key, err := os.ReadFile(t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("tls.key_file: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file %s, tls.key_file %s: %w", t.CertFile, t.KeyFile, err)
	}
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"},
	}
	if t.ClientCAFile == "" {
		return cfg, nil
	}
	authorities, err := os.ReadFile(t.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca_file: %w", err)
	}
	cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !cfg.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, fmt.Errorf("tls.client_ca_file: %s holds no certificate in PEM", t.ClientCAFile)
	}
	return cfg, nil
}

// certificates are the files of TLS as they are now. Each handshake looks whether they have changed: that takes
// microseconds, a handshake a millisecond.
type certificates struct {
	files TLS
	log   *slog.Logger

	mu      sync.Mutex
	seen    [3]fileStamp
	current *tls.Config
}

// fileStamp tells versions of a file apart. It is the zero value for a file that isn't there.
type fileStamp struct {
	modified time.Time
	size     int64
}

// newCertificates reads the files for the first time.
func newCertificates(files TLS, log *slog.Logger) (*certificates, error) {
	c := &certificates{files: files, log: log, seen: files.stamps()}
	var err error
	c.current, err = files.load()
	return c, err
}

// stamps are taken before the files are read: what changes meanwhile is read again.
func (t TLS) stamps() (stamps [3]fileStamp) {
	for i, file := range []string{t.CertFile, t.KeyFile, t.ClientCAFile} {
		if info, err := os.Stat(file); err == nil {
			stamps[i] = fileStamp{info.ModTime(), info.Size()}
		}
	}
	return stamps
}

// config is crypto/tls's configuration for the next connection. Files that can't be read are logged once.
func (c *certificates) config(*tls.ClientHelloInfo) (*tls.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.files.stamps()
	if now == c.seen {
		return c.current, nil
	}
	c.seen = now
	next, err := c.files.load()
	if err != nil {
		c.log.Error("certificates can't be read again: the former ones stay", "error", err)
		return c.current, nil
	}
	c.current = next
	c.log.Info("certificates reloaded", "file", c.files.CertFile)
	return next, nil
}
