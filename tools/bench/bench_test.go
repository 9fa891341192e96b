package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

// TestMain lets the test's binary be the processes that a run starts of itself.
func TestMain(m *testing.M) {
	if os.Getenv("AGORA_BENCH_CHILD") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestARunMeasuresAllWorkloadsWithRightAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the router")
	}
	t.Parallel()
	file := filepath.Join(t.TempDir(), "report.json")
	var out bytes.Buffer
	args := []string{"--seconds", "0.2", "--warmup", "0.2", "--rounds", "1", "--connections", "8", "--json", file}
	if err := routerCommand(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report Report
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, w := range report.Workloads {
		names = append(names, w.Name)
		floor, router := w.Programs[0], w.Programs[2]
		if router.Name != "agora" || router.Requests == 0 || router.WarmUp == 0 || router.Failed > 0 {
			t.Errorf("%s: %+v", w.Name, router)
		}
		if w.Name != "c" && (floor.SubgraphRequests < 1 || !near(floor.SubgraphRequests, router.SubgraphRequests)) {
			t.Errorf("%s: the floor makes %g subgraph requests, the router %g", w.Name, floor.SubgraphRequests, router.SubgraphRequests)
		}
	}
	if got := strings.Join(names, ","); got != "a,b,c,d,e" {
		t.Errorf("workloads %s", got)
	}
	if rows := regexp.MustCompile(`(?m)^\| agora \| [0-9]`).FindAllString(out.String(), -1); len(rows) != len(names) {
		t.Errorf("%d lines of the router in:\n%s", len(rows), out.String())
	}
}

// near allows for requests that a subgraph has counted and the end of a round has cut off.
func near(a, b float64) bool { return a < b*1.1 && b < a*1.1 }

func TestAWrongAnswerFailsTheRun(t *testing.T) {
	oracle, err := shop.Oracle()
	if err != nil {
		t.Fatal(err)
	}
	w := workloads()[1]
	right := oracle.Execute(w.body()(nil, 0))
	for _, test := range []struct {
		name, answer string
		ok           bool
	}{
		{"the oracle's bytes", string(right), true},
		{"another order of keys", `{"data":{"me":{"name":"Ada Number 1","username":"ada1","id":"1"}},"extensions":{}}`, true},
		{"a wrong value", strings.Replace(string(right), "Ada", "Bea", 1), false},
		{"a missing field", `{"data":{"me":{"id":"1","username":"ada1"}}}`, false},
		{"errors besides data", `{"errors":[{"message":"no"}],` + string(right)[1:], false},
		{"no JSON", `<html>`, false},
		{"nothing", ``, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := &verifier{oracle: oracle, body: w.body(), fixed: true}
			if err := v.every(0, []byte(test.answer)); (err == nil) != test.ok {
				t.Errorf("error %v", err)
			}
			_ = v.every(0, right)
			if err := v.sampled(64, []byte(test.answer)); (err == nil) != test.ok {
				t.Errorf("under load: error %v", err)
			}
		})
	}
}

func TestAProgramWithWrongAnswersIsReported(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the router")
	}
	t.Parallel()
	lying := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data":{"me":null}}`)
	}))
	defer lying.Close()
	_, port, _ := strings.Cut(lying.Listener.Addr().String(), ":")
	args := []string{
		"--workloads", "b", "--seconds", "0.1", "--warmup", "0.1", "--rounds", "1", "--connections", "2",
		"--peer", fmt.Sprintf("liar=sleep 60@%s", port),
	}
	var out bytes.Buffer
	err := routerCommand(t.Context(), args, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "workload b: liar:") || !strings.Contains(err.Error(), "wrong answer") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(out.String(), "| liar | ") {
		t.Errorf("no line of the peer in:\n%s", out.String())
	}
}

func TestOperationsOfWorkloadCAreAllDistinct(t *testing.T) {
	oracle, err := shop.Oracle()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	number := regexp.MustCompile(`n\d+: `)
	for seq := range uint64(2000) {
		text := distinct(seq)
		seen[number.ReplaceAllString(text, "")] = true
		if _, err := data(oracle.Execute(requestBody(text))); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if len(seen) != 2000 || distinct(1) == distinct(2001) {
		t.Errorf("%d shapes, want 2,000", len(seen))
	}
}

func TestPeersAreNamedWithCommandAndPort(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"cosmo=./router --config x=y@4001", "cosmo|./router --config x=y|4001|/graphql"},
		{"other=run a@b@4002/query", "other|run a@b|4002|/query"},
		{"no port=run", "error"},
		{"=run@1", "error"},
	} {
		peer, err := parsePeer(test.text)
		got := "error"
		if err == nil {
			got = strings.Join([]string{peer.name, peer.command[2], peer.port, peer.path}, "|")
		}
		if got != test.want {
			t.Errorf("parsePeer(%q) = %s, want %s", test.text, got, test.want)
		}
	}
}

func TestCurvesAreDrawn(t *testing.T) {
	p := plot{size: "entities"}
	for _, n := range []float64{10, 100, 1000} {
		p.add("floor", n, n/1000)
		p.add("a < b", n, n/500)
	}
	p.add("unknown", 10, 0)
	file := filepath.Join(t.TempDir(), "curve.svg")
	if err := p.save(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	lines := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "polyline" {
			lines++
		}
	}
	if lines != 2 {
		t.Errorf("%d curves: %s", lines, text)
	}
}
