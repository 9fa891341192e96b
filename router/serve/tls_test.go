package serve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// certificate is one that signs itself, for 127.0.0.1, with its key.
type certificate struct{ cert, key []byte }

func newCertificate(t *testing.T, name string) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return certificate{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// shows makes the client show itself.
func (c certificate) shows(t *testing.T, cfg *tls.Config) {
	t.Helper()
	pair, err := tls.X509KeyPair(c.cert, c.key)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Certificates = []tls.Certificate{pair}
}

// runTLS serves a certificate from files in a folder of their own.
func runTLS(t *testing.T, own certificate, authority []byte) (p *program, files serve.TLS) {
	t.Helper()
	folder := t.TempDir()
	files = serve.TLS{CertFile: filepath.Join(folder, "cert.pem"), KeyFile: filepath.Join(folder, "key.pem")}
	write(t, files.CertFile, own.cert)
	write(t, files.KeyFile, own.key)
	if authority != nil {
		files.ClientCAFile = filepath.Join(folder, "clients.pem")
		write(t, files.ClientCAFile, authority)
	}
	p = run(t, serve.Config{TLS: files})
	p.URL = strings.Replace(p.URL, "http:", "https:", 1)
	return p, files
}

// hello asks over a new connection, and says by which protocol and whose certificate it was answered.
func hello(t *testing.T, url string, cfg *tls.Config) (string, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: cfg.NextProtos == nil, DisableKeepAlives: true}}
	resp, err := client.Get(url + "/graphql?query={hello}")
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if body := readAll(t, resp.Body); body != `{"data":{"hello":"hello nobody"}}` {
		t.Errorf("got %s", body)
	}
	return fmt.Sprint(resp.Proto, " ", resp.TLS.PeerCertificates[0].Subject.CommonName), nil
}

func TestHTTPSSpeaksHTTP2OrWhatTheClientSpeaks(t *testing.T) {
	own := newCertificate(t, "router")
	p, _ := runTLS(t, own, nil)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(own.cert)
	for want, protocols := range map[string][]string{"HTTP/2.0 router": nil, "HTTP/1.1 router": {"http/1.1"}} {
		if got, err := hello(t, p.URL, &tls.Config{RootCAs: trusted, NextProtos: protocols}); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	if err := p.finish(t); err != nil {
		t.Error(err)
	}
}

func TestACertificateThatIsReplacedServesTheNextConnections(t *testing.T) {
	p, files := runTLS(t, newCertificate(t, "first"), nil)
	anybody := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the certificate's name is what is looked at
	expect := func(want string) {
		t.Helper()
		if got, err := hello(t, p.URL, anybody.Clone()); err != nil || got != "HTTP/2.0 "+want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	expect("first")
	second := newCertificate(t, "the second one")
	write(t, files.CertFile, second.cert)
	expect("first") // its key has not come yet
	expect("first")
	if n := strings.Count(p.log.String(), "certificates can't be read again"); n != 1 || !strings.Contains(p.log.String(), "tls.key_file") {
		t.Errorf("logged %d times that the files don't fit: %s", n, p.log)
	}
	write(t, files.KeyFile, append(second.key, '\n'))
	expect("the second one")
	if err := os.Remove(files.KeyFile); err != nil {
		t.Fatal(err)
	}
	expect("the second one")
}

func TestClientsShowCertificatesOfTheAuthority(t *testing.T) {
	partner, stranger := newCertificate(t, "partner"), newCertificate(t, "stranger")
	p, files := runTLS(t, newCertificate(t, "router"), partner.cert)
	ask := func(client certificate) error {
		cfg := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // it is the client that is looked at
		if client.cert != nil {
			client.shows(t, cfg)
		}
		_, err := hello(t, p.URL, cfg)
		return err
	}
	if err := ask(partner); err != nil {
		t.Errorf("the partner: %v", err)
	}
	if ask(stranger) == nil || ask(certificate{}) == nil {
		t.Error("clients without a certificate of the authority are let in")
	}
	write(t, files.ClientCAFile, append(stranger.cert, '\n'))
	if err := ask(stranger); err != nil {
		t.Errorf("after the authority has changed: %v", err)
	}
	if ask(partner) == nil {
		t.Error("a certificate of the former authority is let in")
	}
}

func TestFilesThatMakeNoHTTPSAreNamedAtTheStart(t *testing.T) {
	folder, own := t.TempDir(), newCertificate(t, "router")
	in := func(name string) string { return filepath.Join(folder, name) }
	write(t, in("cert"), own.cert)
	write(t, in("key"), own.key)
	write(t, in("other"), newCertificate(t, "other").key)
	write(t, in("text"), []byte("no PEM"))
	tests := []struct {
		files serve.TLS
		want  string
	}{
		{serve.TLS{CertFile: in("nowhere"), KeyFile: in("key")}, "tls.cert_file: open " + in("nowhere")},
		{serve.TLS{CertFile: in("cert"), KeyFile: in("nowhere")}, "tls.key_file: open " + in("nowhere")},
		{serve.TLS{CertFile: in("cert"), KeyFile: in("other")}, "tls.key_file " + in("other") + ": tls: private key does not match"},
		{serve.TLS{CertFile: in("text"), KeyFile: in("key")}, "tls.cert_file " + in("text") + ", "},
		{serve.TLS{CertFile: in("cert"), KeyFile: in("key"), ClientCAFile: in("nowhere")}, "tls.client_ca_file: open " + in("nowhere")},
		{serve.TLS{CertFile: in("cert"), KeyFile: in("key"), ClientCAFile: in("text")}, "tls.client_ca_file: " + in("text") + " holds no certificate"},
		{serve.TLS{CertFile: in("cert")}, "cert_file and key_file belong together"},
		{serve.TLS{ClientCAFile: in("cert")}, "tls.client_ca_file: clients show certificates over TLS only"},
	}
	for _, test := range tests {
		err := serve.Run(t.Context(), serve.Config{
			Engine: newFakeEngine(), Listen: "127.0.0.1:0", TLS: test.files,
			OnListen: func(net.Addr) { t.Errorf("%+v: listens", test.files) },
		})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.files, err, test.want)
		}
	}
}

// runUnix serves on a socket, and returns a client of it. What the log says is in the program.
func runUnix(t *testing.T, path string, cfg serve.Config) (*program, *http.Client) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	p := &program{engine: newFakeEngine(), log: new(logBuffer), stop: stop, ended: make(chan error, 1)}
	listening := make(chan net.Addr, 1)
	cfg.Engine, cfg.Listen, cfg.Logger = p.engine, "unix:"+path, slog.New(slog.NewTextHandler(p.log, nil))
	cfg.OnListen = func(addr net.Addr) { listening <- addr }
	go func() { p.ended <- serve.Run(ctx, cfg) }()
	select {
	case addr := <-listening:
		if got, want := cfg.URL(addr), "unix:"+path+":/graphql"; got != want {
			t.Errorf("listens at %s, want %s", got, want)
		}
	case err := <-p.ended:
		t.Fatal(err)
	}
	var dialer net.Dialer
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) }}
	t.Cleanup(transport.CloseIdleConnections)
	return p, &http.Client{Transport: transport}
}

func TestAUnixSocketIsListenedOnAndTakenFromWhoWasKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false) // as if killed
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	p, client := runUnix(t, path, serve.Config{Clients: serve.Clients{TrustedProxies: []string{"unix"}}})
	for _, forwarded := range []string{"", "203.0.113.7"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://router/graphql?query={hello}", nil)
		if err != nil {
			t.Fatal(err)
		}
		if forwarded != "" {
			req.Header.Set("X-Forwarded-For", forwarded)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, resp.Body); got != `{"data":{"hello":"hello nobody"}}` {
			t.Errorf("got %s", got)
		}
		_ = resp.Body.Close()
	}
	err = serve.Run(t.Context(), serve.Config{Engine: p.engine, Listen: "unix:" + path})
	if want := "listen unix:" + path + ": address already in use"; err == nil || err.Error() != want {
		t.Errorf("a second one: %v, want %s", err, want)
	}
	if err := p.finish(t); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"address=unix ", "address=203.0.113.7 "} {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("no %s in %s", want, p.log)
		}
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

func TestAFileIsNotTakenForASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	write(t, path, []byte("precious"))
	if err := serve.Run(t.Context(), serve.Config{Engine: newFakeEngine(), Listen: "unix:" + path}); err == nil {
		t.Error("listens")
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "precious" {
		t.Errorf("the file is %q, %v", content, err)
	}
	if err := serve.Run(t.Context(), serve.Config{Engine: newFakeEngine(), Listen: "unix:"}); err == nil || !strings.Contains(err.Error(), "expected a path after unix:") {
		t.Errorf("no path: %v", err)
	}
}

func TestWhatANewListenerIsNeededFor(t *testing.T) {
	base := serve.Config{TLS: serve.TLS{CertFile: "a", KeyFile: "b"}}
	if !base.SameListener(serve.Config{TLS: base.TLS, Listen: "127.0.0.1:4000", Path: "/other"}) {
		t.Error("another path needs a new listener")
	}
	for _, other := range []serve.Config{{}, {TLS: serve.TLS{CertFile: "a", KeyFile: "b", ClientCAFile: "c"}}, {TLS: base.TLS, Listen: "unix:/s"}} {
		if base.SameListener(other) {
			t.Errorf("%+v %s has the same listener", other.TLS, other.Listen)
		}
	}
}
