package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/traffic"
)

func TestASubgraphInheritsThePoliciesThatItDoesNotSet(t *testing.T) {
	cfg, err := Parse("router.yaml", []byte(`
all_subgraphs:
  retry: { attempts: 3 }
  breaker: { failure_percent: 50 }
subgraphs:
  search: { retry: { attempts: 1 }, hedge: { after: 30ms } }
`))
	if err != nil {
		t.Fatal(err)
	}
	breaker := traffic.Breaker{FailurePercent: 50}
	want := map[string]traffic.Config{
		"":       {Retry: traffic.Retry{Attempts: 3}, Breaker: breaker},
		"search": {Retry: traffic.Retry{Attempts: 1}, Breaker: breaker, Hedge: traffic.Hedge{After: 30 * time.Millisecond}},
	}
	if diff := cmp.Diff(want, cfg.Traffic()); diff != "" {
		t.Error(diff)
	}
}

func TestCertificatesThatAreNoneAreRefusedByName(t *testing.T) {
	for source, want := range map[string]string{
		`all_subgraphs: { tls: { ca_file: nowhere.pem } }`:                         "all_subgraphs: tls.ca_file: open nowhere.pem",
		`all_subgraphs: { tls: { ca_file: config.go } }`:                           "config.go holds no certificate",
		`all_subgraphs: { tls: { cert_file: a.pem } }`:                             "cert_file and key_file belong together",
		`subgraphs: { users: { tls: { cert_file: config.go, key_file: a.pem } } }`: "users: tls.cert_file",
	} {
		cfg, err := Parse("router.yaml", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cfg.Transports(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", source, err, want)
		}
	}
}

func TestSubgraphsGetATokenOfTheRoutersOwn(t *testing.T) {
	cfg, err := Parse("router.yaml", []byte(`headers: { all: { request: [{ insert: Authorization, from: identity.bearer }] } }`))
	if err != nil {
		t.Fatal(err)
	}
	made, err := cfg.Router("", nil)
	if err != nil || made.Signer == nil || made.Serve.Pages["/.well-known/router/jwks.json"] == nil {
		t.Errorf("router %+v, %v", made.Signer, err)
	}
}

func TestPagesOfSeveralPartsStandBesideEachOther(t *testing.T) {
	cfg, err := Parse("router.yaml", []byte(`
headers: { all: { request: [{ insert: Authorization, from: identity.bearer }] } }
response_cache: { subgraphs: { products: { max_age: 1s } }, invalidation: { token: sixteen-characters } }
`))
	if err != nil {
		t.Fatal(err)
	}
	made, err := cfg.Router("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/.well-known/router/jwks.json", "/cache/invalidate"} {
		if made.Serve.Pages[path] == nil {
			t.Errorf("there is no page at %s", path)
		}
	}
}
