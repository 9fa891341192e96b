package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// Each file of testdata holds a configuration, router.yaml, and what is made of it: the configuration that
// it means, or its errors.
func TestConfigurationsMeanWhatTheySay(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no files: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Setenv("AGORA_PORT", "4100")
			t.Setenv("AGORA_EMPTY", "")
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := Parse("testdata/router.yaml", archive.Files[0].Data)
			got := cfg.String()
			if err != nil {
				got = strings.ReplaceAll(err.Error(), "testdata/", "") + "\n"
			}
			if *update {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "output", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(archive.Files[1].Data), got); diff != "" {
				t.Error(diff)
			}
			if err != nil {
				return
			}
			again, err := Parse("router.yaml", []byte(got))
			if err != nil {
				t.Errorf("String() can't be read again: %v", err)
			}
			if diff := cmp.Diff(got, again.String()); diff != "" {
				t.Errorf("String() read again: %s", diff)
			}
		})
	}
}

func TestSettingsReachTheirPackages(t *testing.T) {
	cfg, err := Parse("/etc/agora/router.yaml", []byte(`
listen: 0.0.0.0:80
supergraph: supergraph.graphql
http: {max_body_bytes: 100, timeout: 1m30s}
cors: {origins: [https://shop.example], max_age: 0s}
streams: {heartbeat: 5s}
limits: {depth: 12, hide_suggestions: true}
all_subgraphs: {timeout: 2s, headers: {X-A: a}, subscriptions: {protocol: sse}}
jwt: {leeway: 3s, issuers: [{issuer: https://id.example, jwks_url: https://id.example/keys, audience: agora, algorithms: [EdDSA], scopes_claim: permissions}]}
subgraphs:
  users: {url: http://127.0.0.1:4001/graphql, headers: {X-B: b}}
  orders: {timeout: 9s}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Supergraph: "/etc/agora/supergraph.graphql",
		Serve: serve.Config{
			Listen:  "0.0.0.0:80",
			HTTP:    serve.HTTP{MaxBodyBytes: 100, Timeout: 90 * time.Second},
			CORS:    serve.CORS{Origins: []string{"https://shop.example"}},
			Streams: serve.Streams{Heartbeat: 5 * time.Second},
		},
		Limits: operation.Limits{Depth: 12, HideSuggestions: true},
	}
	tokens := auth.Config{Leeway: 3 * time.Second, Issuers: []auth.Issuer{{
		Name: "https://id.example", JWKS: "https://id.example/keys", Audience: "agora", Algorithms: []string{"EdDSA"}, ScopesClaim: "permissions",
	}}}
	if diff := cmp.Diff(tokens, cfg.JWT.Auth()); diff != "" {
		t.Error(diff)
	}
	all, err := cfg.Transports()
	if err != nil {
		t.Fatal(err)
	}
	cfg.JWT = JWT{}
	cfg.AllSubgraphs, cfg.Subgraphs = Subgraph{}, nil
	if diff := cmp.Diff(want, cfg, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".OnListen" || p.Last().String() == ".Ready" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	sse := transport.SubscriptionConfig{Protocol: transport.SSE}
	transports := map[string]transport.HTTPConfig{
		"":       {Timeout: 2 * time.Second, Header: map[string][]string{"X-A": {"a"}}, Subscriptions: sse},
		"users":  {URL: "http://127.0.0.1:4001/graphql", Timeout: 2 * time.Second, Header: map[string][]string{"X-A": {"a"}, "X-B": {"b"}}, Subscriptions: sse},
		"orders": {Timeout: 9 * time.Second, Header: map[string][]string{"X-A": {"a"}}, Subscriptions: sse},
	}
	if diff := cmp.Diff(transports, all); diff != "" {
		t.Error(diff)
	}
}

func TestEveryNumberHasBounds(t *testing.T) {
	var walk func(path string, of reflect.Type, tag reflect.StructTag)
	walk = func(path string, of reflect.Type, tag reflect.StructTag) {
		switch {
		case of.Kind() == reflect.Struct:
			for _, f := range fields(of) {
				walk(path+"."+f.name, f.Type, f.Tag)
			}
		case of.Kind() == reflect.Map || of.Kind() == reflect.Slice:
			walk(path+"[]", of.Elem(), tag)
		case of == durationType:
			for _, bound := range []string{tag.Get("min"), tag.Get("max")} {
				if _, err := time.ParseDuration(bound); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		case of.Kind() == reflect.Int || of.Kind() == reflect.Int64 || of.Kind() == reflect.Float64:
			for _, bound := range []string{tag.Get("min"), tag.Get("max")} {
				if _, err := strconv.ParseInt(bound, 10, 64); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		}
	}
	walk("", reflect.TypeFor[Config](), "")
}

func TestAnEmptyFileIsTheZeroConfiguration(t *testing.T) {
	for _, source := range []string{"", "\n", "# nothing\n", "---\n"} {
		cfg, err := Parse("router.yaml", []byte(source))
		if err != nil || cfg.String() != "" {
			t.Errorf("Parse(%q) = %v, %v", source, cfg, err)
		}
	}
}

func TestAFileThatIsNotThereIsNamed(t *testing.T) {
	_, err := Load("testdata/nowhere.yaml")
	if err == nil || !strings.Contains(err.Error(), "testdata/nowhere.yaml: no such file") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Load: %v", err)
	}
}

func TestTheLogHasItsLevelAndFormat(t *testing.T) {
	tests := []struct {
		log  Log
		want string
	}{
		{Log{}, "level=INFO msg=i\nlevel=ERROR msg=e\n"},
		{Log{Level: "error"}, "level=ERROR msg=e\n"},
		{Log{Level: "warn", Format: "json"}, `{"level":"ERROR","msg":"e"}` + "\n"},
		{Log{Level: "debug"}, "level=DEBUG msg=d\nlevel=INFO msg=i\nlevel=ERROR msg=e\n"},
	}
	for _, test := range tests {
		var b bytes.Buffer
		logger := test.log.Logger(&b)
		logger.Debug("d")
		logger.Info("i")
		logger.Error("e")
		if got := withoutTimes(b.String()); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.log, got, test.want)
		}
	}
}

func withoutTimes(log string) string {
	lines := strings.SplitAfter(log, "\n")
	for i, line := range lines {
		if at := strings.Index(line, "level="); at > 0 {
			lines[i] = line[at:]
		} else if at := strings.Index(line, `"level"`); at > 0 {
			lines[i] = "{" + line[at:]
		}
	}
	return strings.Join(lines, "")
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"listen: a\n", "cors: {origins: [a]}", "a: &x 1\nb: *x", "${env.A}", "jwt:\n  issuers:\n    - issuer: a", "- 1", "? a\n: b", "subgraphs: {a: {url: *a}}", "subgraphs: *a", "subgraphs:\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		if bytes.Contains(source, []byte("file.")) {
			t.Skip() // reads what it finds on the machine
		}
		cfg, err := Parse("router.yaml", source)
		if err == nil {
			_ = cfg.String()
		}
	})
}
