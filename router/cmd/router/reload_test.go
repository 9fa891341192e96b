package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is what a running command has written so far.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// served runs `router serve` over a supergraph until the test ends, and returns where it answers and its log.
func served(t *testing.T, file string) (url string, log *output) {
	t.Helper()
	return running(t, "--supergraph", file, "--listen", "127.0.0.1:0")
}

// running is served with any flags.
func running(t *testing.T, flags ...string) (url string, log *output) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, log := &output{}, &output{}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"serve", "--poll", "2ms"}, flags...), streams{nil, out, log})
	}()
	t.Cleanup(func() {
		stop()
		if status := <-done; status != 0 {
			t.Errorf("serve exits with %d: %s", status, log)
		}
	})
	eventually(t, "listening", func() bool { return strings.HasSuffix(out.String(), "/graphql\n") })
	return strings.TrimSpace(out.String()[strings.Index(out.String(), "http://"):]), log
}

func ask(t *testing.T, url, query string) string {
	t.Helper()
	response, err := http.Post(url, "application/json", strings.NewReader(fmt.Sprintf(`{"query":%q}`, query)))
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

func TestServeReloadsTheSupergraphAndKeepsTheLastGoodOne(t *testing.T) {
	reached, release := make(chan struct{}, 1), make(chan struct{})
	subgraph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "slow") {
			reached <- struct{}{}
			<-release
			_, _ = io.WriteString(w, `{"data":{"slow":"answered"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"fresh":"answered"}}`)
	}))
	defer subgraph.Close()
	folder(t, map[string]string{
		"supergraph.yaml": "subgraphs:\n  a:\n    routing_url: " + subgraph.URL + "\n    schema:\n      file: a.graphql\n",
		"a.graphql":       "type Query { slow: String }",
	})
	url, log := served(t, "supergraph.yaml")

	answer := make(chan string, 1)
	go func() { answer <- ask(t, url, "{ slow }") }()
	<-reached

	// What doesn't compose is logged once, and what is served stays.
	replaceFile(t, "a.graphql", "type Query { slow: Missing }")
	eventually(t, "the error is logged", func() bool { return strings.Contains(log.String(), "Unknown type Missing") })
	if got := ask(t, url, "{ fresh }"); !strings.Contains(got, `Cannot query field \"fresh\"`) {
		t.Errorf("after an error: %s", got)
	}
	time.Sleep(20 * time.Millisecond)
	if n := strings.Count(log.String(), "not reloaded: the last good state"); n != 1 {
		t.Errorf("the error is logged %d times, want once:\n%s", n, log)
	}

	// The new one is served at once, and the request under way ends on the old one.
	replaceFile(t, "a.graphql", "type Query { fresh: String }")
	eventually(t, "the reload", func() bool { return strings.Contains(log.String(), "supergraph reloaded") })
	if got := ask(t, url, "{ fresh }"); got != `{"data":{"fresh":"answered"}}` {
		t.Errorf("after the reload: %s", got)
	}
	if got := ask(t, url, "{ slow }"); !strings.Contains(got, `Cannot query field \"slow\"`) {
		t.Errorf("after the reload: %s", got)
	}
	close(release)
	if got := <-answer; got != `{"data":{"slow":"answered"}}` {
		t.Errorf("the request that was under way: %s", got)
	}

	// Nothing is reloaded where the supergraph stays what it is.
	replaceFile(t, "a.graphql", "# a remark\ntype Query { fresh: String }")
	time.Sleep(50 * time.Millisecond)
	if n := strings.Count(log.String(), "supergraph reloaded"); n != 1 {
		t.Errorf("%d reloads, want 1:\n%s", n, log)
	}
}

func TestServeReloadsASupergraphThatAnotherToolWrites(t *testing.T) {
	folder(t, map[string]string{"one.yaml": yaml("type Query { one: Int }"), "two.yaml": yaml("type Query { two: Int }")})
	_, one, _ := commandLine(t, "compose", "--config", "one.yaml")
	_, two, _ := commandLine(t, "compose", "--config", "two.yaml")
	replaceFile(t, "supergraph.graphql", one)
	url, log := served(t, "supergraph.graphql")
	replaceFile(t, "supergraph.graphql", "half a supergr")
	eventually(t, "the error is logged", func() bool { return strings.Contains(log.String(), "not reloaded: the last good state") })
	if got := ask(t, url, "{ __typename }"); got != `{"data":{"__typename":"Query"}}` {
		t.Errorf("after an error: %s", got)
	}
	replaceFile(t, "supergraph.graphql", two)
	eventually(t, "the reload", func() bool { return strings.Contains(log.String(), "supergraph reloaded") })
	if got := ask(t, url, "{ one }"); !strings.Contains(got, `Cannot query field \"one\"`) {
		t.Errorf("after the reload: %s", got)
	}
}

func TestSettingsForSubgraphsThatAreNotThereAreToldOf(t *testing.T) {
	folder(t, map[string]string{
		"one.yaml":    yaml("type Query { one: Int }"),
		"router.yaml": "supergraph: one.yaml\nlisten: 127.0.0.1:0\nsubgraphs: {aa: {timeout: 1s}, a: {timeout: 1s}}\n",
	})
	_, log := running(t, "--config", "router.yaml")
	if want := "subgraphs.aa: the supergraph has no such subgraph (did you mean a?): it has a"; !strings.Contains(log.String(), want) || strings.Contains(log.String(), "subgraphs.a:") {
		t.Errorf("%s: not alone in the log:\n%s", want, log)
	}
}

func TestAFileThatTheConfigurationRefersToIsWatchedToo(t *testing.T) {
	folder(t, map[string]string{
		"one.yaml":    yaml("type Query { one: Int }"),
		"shown":       "false",
		"router.yaml": "supergraph: one.yaml\nlisten: 127.0.0.1:0\nintrospection: ${file.shown}\n",
	})
	url, log := running(t, "--config", "router.yaml")
	replaceFile(t, "shown", "true\n")
	eventually(t, "the reload", func() bool { return strings.Contains(log.String(), "configuration reloaded") })
	if got := ask(t, url, `{ __schema { queryType { name } } }`); !strings.Contains(got, `"Query"`) {
		t.Errorf("after the reload: %s", got)
	}
	if err := os.Remove("shown"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the error is logged", func() bool { return strings.Contains(log.String(), "expand ${file.shown}") })
	replaceFile(t, "shown", "false")
	eventually(t, "all is well again", func() bool { return strings.Contains(log.String(), "all is well again") })
	if got := ask(t, url, `{ __schema { queryType { name } } }`); !strings.Contains(got, "INTROSPECTION_DISABLED") {
		t.Errorf("when it is there again: %s", got)
	}
}

func TestServeReloadsItsConfigurationAndKeepsTheLastGoodOne(t *testing.T) {
	folder(t, map[string]string{
		"one.yaml":    yaml("type Query { one: Int }"),
		"two.yaml":    yaml("type Query { two: Int }"),
		"router.yaml": "supergraph: one.yaml\nlisten: 127.0.0.1:0\n",
	})
	url, log := running(t, "--config", "router.yaml")
	const schema = `{ __schema { queryType { name } } }`
	if got := ask(t, url, schema); !strings.Contains(got, "INTROSPECTION_DISABLED") {
		t.Errorf("at first: %s", got)
	}
	replaceFile(t, "router.yaml", "supergraph: one.yaml\nlisten: 127.0.0.1:0\nintrospectoin: true\n")
	eventually(t, "the error is logged", func() bool { return strings.Contains(log.String(), "did you mean introspection?") })
	time.Sleep(20 * time.Millisecond)
	if n := strings.Count(log.String(), "did you mean introspection?"); n != 1 {
		t.Errorf("the error is logged %d times, want once:\n%s", n, log)
	}
	replaceFile(t, "router.yaml", "supergraph: two.yaml\nlisten: 127.0.0.1:1\nintrospection: true\n")
	eventually(t, "the reload", func() bool { return strings.Contains(log.String(), "configuration reloaded") })
	if got := ask(t, url, schema); got != `{"data":{"__schema":{"queryType":{"name":"Query"}}}}` {
		t.Errorf("after the reload: %s", got)
	}
	if got := ask(t, url, "{ one }"); !strings.Contains(got, `Cannot query field \"one\"`) {
		t.Errorf("after the reload, of the other supergraph: %s", got)
	}
	eventually(t, "what needs a new start is said", func() bool { return strings.Contains(log.String(), "change at the next start only") })
	// The supergraph of the new configuration is watched.
	replaceFile(t, "two.yaml", yaml("type Query { three: Int }"))
	eventually(t, "the reload of the supergraph", func() bool { return strings.Contains(log.String(), "supergraph reloaded") })
	if got := ask(t, url, "{ two }"); !strings.Contains(got, `Cannot query field \"two\"`) {
		t.Errorf("after the supergraph changed: %s", got)
	}
}
