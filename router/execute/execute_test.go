package execute

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/transport"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata")

// subgraphs stands in for all subgraphs: it answers each fetch of a plan, by its query, with fixed bytes.
type subgraphs struct {
	answers map[string]transport.Response
	// padding is put behind each answer.
	padding string
	mu      sync.Mutex
	sent    map[string]string
}

// Send answers a fetch.
func (s *subgraphs) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	s.mu.Lock()
	s.sent[req.Query] = string(req.Variables)
	s.mu.Unlock()
	if !json.Valid(req.Body) || !strings.HasSuffix(string(req.Body), string(req.Variables)+"}") {
		return nil, fmt.Errorf("body %q with variables %q", req.Body, req.Variables)
	}
	answer, ok := s.answers[req.Query]
	if !ok {
		return nil, errors.New("connection refused by 10.0.0.1")
	}
	answer.Body = append(slices.Clone(answer.Body), s.padding...)
	return &answer, ctx.Err()
}

// Subscribe refuses.
func (s *subgraphs) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return nil, errors.New("no subscriptions here")
}

// TestExecution runs the cases of testdata. A file holds a plan, and for each case of it a section "name/N" with
// the answer to fetch N (a status other than 200 in front of it), then "name/sent", the variables of each fetch,
// and "name/response", the response as people read it.
func TestExecution(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runFile(t, file) })
	}
}

func runFile(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plan := parsePlan(t, string(archive.Files[0].Data))
	var rewritten []txtar.File
	rest := archive.Files[1:]
	for len(rest) > 0 {
		name, _, _ := strings.Cut(rest[0].Name, "/")
		n := slices.IndexFunc(rest, func(f txtar.File) bool { return !strings.HasPrefix(f.Name, name+"/") })
		if n < 0 {
			n = len(rest)
		}
		stub := &subgraphs{answers: map[string]transport.Response{}, sent: map[string]string{}}
		want := map[string]string{}
		for _, f := range rest[:n] {
			part := strings.TrimPrefix(f.Name, name+"/")
			if part == "sent" || part == "response" {
				want[part] = string(f.Data)
				continue
			}
			rewritten = append(rewritten, f)
			stub.answers["f"+part] = answerOf(string(f.Data))
		}
		rest = rest[n:]
		got := map[string]string{}
		t.Run(name, func(t *testing.T) {
			transports := slices.Repeat([]transport.Transport{stub}, len(plan.Supergraph.Subgraphs))
			x := New(Config{Transports: transports, Introspection: stub, MaxDepth: 12})
			// Objects of equal text are looked for only where much text follows: that must not show.
			for _, padding := range []string{strings.Repeat(" ", twinPrefix), ""} {
				stub.padding = padding
				resp := x.Execute(t.Context(), plan, &Request{})
				got["sent"], got["response"] = sentText(stub.sent), readable(t, resp.Body)
				resp.Release()
				for _, part := range []string{"sent", "response"} {
					if diff := cmp.Diff(want[part], got[part]); diff != "" && !*update {
						t.Errorf("padded by %d: %s (-want +got):\n%s", len(padding), part, diff)
					}
				}
			}
		})
		for _, part := range []string{"sent", "response"} {
			rewritten = append(rewritten, txtar.File{Name: name + "/" + part, Data: []byte(got[part])})
		}
	}
	if *update {
		archive.Files = append(archive.Files[:1:1], rewritten...)
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func answerOf(text string) transport.Response {
	text = strings.TrimSuffix(text, "\n")
	if status, body, ok := strings.Cut(text, "|"); ok {
		if n, err := strconv.Atoi(status); err == nil {
			return transport.Response{Status: n, Body: []byte(body)}
		}
	}
	return transport.Response{Status: 200, Body: []byte(text)}
}

func sentText(sent map[string]string) string {
	var lines []string
	for query, variables := range sent {
		lines = append(lines, query+" "+variables+"\n")
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}

// readable breaks a response into lines: one for each error, one for each member of data.
func readable(t *testing.T, body []byte) string {
	if !json.Valid(body) {
		t.Errorf("response is no JSON: %s", body)
	}
	var resp struct {
		Errors []json.RawMessage `json:"errors"`
		Data   json.RawMessage   `json:"data"`
	}
	if err := json.Unmarshal(body, &resp); err != nil {
		t.Errorf("response %s: %v", body, err)
	}
	var b strings.Builder
	for _, e := range resp.Errors {
		fmt.Fprintf(&b, "error %s\n", e)
	}
	fmt.Fprintf(&b, "data %s\n", resp.Data)
	if canonical := string(body); len(resp.Errors) == 0 && canonical != `{"data":`+string(resp.Data)+"}" {
		fmt.Fprintf(&b, "body %s\n", canonical)
	}
	return b.String()
}
