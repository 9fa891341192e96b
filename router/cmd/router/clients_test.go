package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// hello is a subgraph that says hello, and counts to three over server-sent events.
func hello(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":{"hello":"hello"}}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for n := 1; n <= 3; n++ {
		_, _ = fmt.Fprintf(w, "event: next\ndata: {\"data\":{\"tick\":\"%d\"}}\n\n", n)
		_ = http.NewResponseController(w).Flush()
	}
	_, _ = io.WriteString(w, "event: complete\ndata: \n\n")
}

// brokenClients are what npm says where the clients can't be installed for a reason other than the network or the registry.
var brokenClients = regexp.MustCompile(`npm (error|ERR!) code (EUSAGE|EINTEGRITY|EJSONPARSE|ENOENT|ETARGET|E404)`)

// TestRealClientsAreAnswered has the clients that front ends use ask the router: testdata/clients holds their versions in a
// lock file, and what they do.
func TestRealClientsAreAnswered(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the clients of npm are not tried: there is no %s", program)
		}
	}
	clients := t.TempDir()
	if err := os.CopyFS(clients, os.DirFS(filepath.Join("testdata", "clients"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = clients
	if out, err := install.CombinedOutput(); brokenClients.Match(out) {
		t.Fatalf("npm ci: %v\n%s", err, out)
	} else if err != nil {
		t.Skipf("the clients of npm are not tried: npm ci: %v\n%s", err, out)
	}

	subgraph := httptest.NewServer(http.HandlerFunc(hello))
	t.Cleanup(subgraph.Close)
	folder(t, map[string]string{
		"supergraph.yaml": "subgraphs:\n  a:\n    routing_url: " + subgraph.URL + "\n    schema:\n      sdl: 'type Query { hello: String } type Subscription { tick: String }'\n",
		"router.yaml": "supergraph: supergraph.yaml\nlisten: 127.0.0.1:0\nstreams:\n  single_connection: true\npersisted:\n  automatic:\n    enabled: true\n" +
			"all_subgraphs:\n  subscriptions:\n    protocol: sse\n",
	})
	url, _ := running(t, "--config", "router.yaml")
	script := exec.CommandContext(ctx, "node", "clients.mjs", url)
	script.Dir = clients
	out, err := script.CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	tried := 0
	for line := range strings.Lines(string(out)) {
		name, verdict, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		tried++
		t.Run(name, func(t *testing.T) {
			if verdict != "ok" {
				t.Error(verdict)
			}
		})
	}
	if tried < 10 {
		t.Errorf("%d clients were tried:\n%s", tried, out)
	}
}
