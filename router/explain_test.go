package router_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

var times = regexp.MustCompile(`("(?:micros|startMicros|endMicros)": )\d+`)

// readable indents JSON, with the times that depend on the machine as T.
func readable(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(body), "", "  "); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return times.ReplaceAllString(b.String(), "${1}T")
}

// planIn decodes extensions.plan.
func planIn(t *testing.T, body string) (out struct {
	Text    string
	Micros  *int64
	Fetches []struct {
		Kind     string
		Deferred bool
		Runs     []struct {
			StartMicros, EndMicros, Status, Errors int64
			Error                                  string
		}
	}
},
) {
	t.Helper()
	var response struct {
		Extensions struct{ Plan json.RawMessage }
	}
	if err := json.Unmarshal([]byte(body), &response); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if response.Extensions.Plan == nil {
		t.Fatalf("no plan in %s", body)
	}
	if err := json.Unmarshal(response.Extensions.Plan, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

const explainedFetches = `"operation": "query",
      "requests": 2,
      "depth": 2,
      "fetches": [
        {
          "kind": "root",
          "id": 0,
          "subgraph": "users",
          "query": "{me{name id}}",
          "dependsOn": [],
          "reasons": [
            "me"
          ]%s
        },
        {
          "kind": "entities",
          "id": 1,
          "subgraph": "reviews",
          "query": "query($r:[_Any!]!){_entities(representations:$r){...on User{stars}}}",
          "dependsOn": [
            0
          ],
          "entities": [
            {
              "paths": [
                "me"
              ],
              "representations": [
                "User { id }"
              ]
            }
          ],
          "reasons": [
            "stars of me"
          ]%s
        }
      ],`

func TestThePlanIsShownInsteadOfExecutingIt(t *testing.T) {
	r := newRouter(t, router.Config{Explain: true, Hooks: []router.Hook{
		router.FetchFunc(func(context.Context, string, *transport.Request, router.Send) (*transport.Response, error) {
			t.Error("the operation is executed")
			return nil, context.Canceled
		}),
	}})
	status, body := ask(t, r, question, "Agora-Explain", "plan")
	got := readable(t, body)
	if want := `{
  "data": null,
  "extensions": {
    "plan": {
      ` + fmt.Sprintf(explainedFetches, "", ""); status != 200 || !strings.HasPrefix(got, want) {
		t.Errorf("status %d (-want +got):\n%s", status, cmp.Diff(want, got))
	}
	if text := planIn(t, body).Text; !strings.HasPrefix(text, "QueryPlan {\n  Sequence {") {
		t.Errorf("text %q", text)
	}
	if _, body := ask(t, r, `subscription { signedIn { stars } }`, "Agora-Explain", "plan"); len(planIn(t, body).Fetches) != 2 {
		t.Errorf("a subscription, without a stream: %s", body)
	}
}

func TestAnalyzeAddsWhatEachFetchTook(t *testing.T) {
	r := newRouter(t, router.Config{Explain: true})
	_, body := ask(t, r, question, "Agora-Explain", "analyze")
	run := func(objects, representations, sent, received int) string {
		return fmt.Sprintf(`,
          "runs": [
            {
              "startMicros": T,
              "endMicros": T,
              "objects": %d,
              "representations": %d,
              "bytesSent": %d,
              "bytesReceived": %d,
              "status": 200,
              "errors": 0
            }
          ]`, objects, representations, sent, received)
	}
	want := `{
  "data": {
    "me": {
      "name": "Ada",
      "stars": 5
    }
  },
  "extensions": {
    "plan": {
      ` + fmt.Sprintf(explainedFetches, run(1, 0, 40, 59), run(1, 1, 131, 36))
	if got := readable(t, body); !strings.HasPrefix(got, want) {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
	}
	p := planIn(t, body)
	first, second := p.Fetches[0].Runs[0], p.Fetches[1].Runs[0]
	if first.StartMicros < 0 || second.StartMicros < first.EndMicros || *p.Micros < second.EndMicros {
		t.Errorf("impossible times %+v in %d µs", p.Fetches, *p.Micros)
	}
}

func TestAnalyzeShowsWhatFailedAndKeepsOtherExtensions(t *testing.T) {
	r := newRouter(t, router.Config{Explain: true, Hooks: []router.Hook{
		router.FetchFunc(func(ctx context.Context, subgraph string, req *transport.Request, send router.Send) (*transport.Response, error) {
			if subgraph == "reviews" {
				return nil, fmt.Errorf("no way to reviews")
			}
			return send(ctx, req)
		}),
		router.ResponseFunc(func(_ context.Context, _ *serve.Request, resp *serve.Response) {
			resp.Body = append(bytes.TrimSuffix(bytes.Clone(resp.Body), []byte("}")), `,"extensions":{"cost":7}}`...)
		}),
	}})
	_, body := ask(t, r, question, "Agora-Explain", "analyze")
	if run := planIn(t, body).Fetches[1].Runs[0]; run.Error != "no way to reviews" || run.Errors != 1 || run.Status != 0 {
		t.Errorf("run %+v", run)
	}
	if !strings.Contains(body, `"cost":7`) || !strings.Contains(body, `"stars":null`) {
		t.Errorf("answer %s", body)
	}
}

func TestAnalyzeExplainsEachEventOfASubscription(t *testing.T) {
	r := newRouter(t, router.Config{Explain: true})
	rec := post(r, `subscription { signedIn { stars } }`, "Accept", "text/event-stream", "Agora-Explain", "analyze")
	n := 0
	for line := range strings.Lines(rec.Body.String()) {
		data, ok := strings.CutPrefix(line, "data: {")
		if !ok {
			continue
		}
		n++
		p := planIn(t, "{"+data)
		if p.Fetches[0].Kind != "root" || len(p.Fetches[0].Runs) != 0 || len(p.Fetches[1].Runs) != 1 {
			t.Errorf("event %d: %+v", n, p.Fetches)
		}
	}
	if n != 2 {
		t.Errorf("%d events in %s", n, rec.Body)
	}
}

func TestAnalyzeExplainsAnAnswerInPartsWithItsLastPart(t *testing.T) {
	r := newRouter(t, router.Config{Explain: true})
	for _, accept := range []string{"multipart/mixed;deferSpec=20220824", "multipart/mixed;incrementalSpec=v0.2"} {
		rec := post(r, `{ me { name ... @defer { stars } } }`, "Accept", accept, "Agora-Explain", "analyze")
		parts := strings.Split(rec.Body.String(), "--graphql")
		var last string
		for _, part := range parts {
			if _, body, ok := strings.Cut(part, "\r\n\r\n"); ok {
				last = strings.TrimSpace(body)
			}
		}
		p := planIn(t, last)
		if !strings.Contains(last, `"stars":5`) || len(p.Fetches) != 2 || len(p.Fetches[0].Runs) != 1 || len(p.Fetches[1].Runs) != 1 || p.Fetches[0].Deferred || !p.Fetches[1].Deferred {
			t.Errorf("%s: %s", accept, rec.Body)
		}
	}
}

func TestPlansAreShownOnlyWhereThatIsSwitchedOn(t *testing.T) {
	r := newRouter(t, router.Config{})
	for _, mode := range []string{"plan", "analyze"} {
		if status, body := ask(t, r, question, "Agora-Explain", mode); status != 403 || !strings.Contains(body, `"code":"EXPLAIN_DISABLED"`) {
			t.Errorf("%s: %d %s", mode, status, body)
		}
	}
	if _, body := ask(t, r, question); body != adasStars {
		t.Errorf("without the header: %s", body)
	}
	on := newRouter(t, router.Config{Explain: true})
	if _, body := ask(t, on, question); body != adasStars {
		t.Errorf("switched on, without the header: %s", body)
	}
	if status, body := ask(t, on, question, "Agora-Explain", "why?"); status != 400 || !strings.Contains(body, "plan or analyze") {
		t.Errorf("another value: %d %s", status, body)
	}
	if status, body := ask(t, on, `{ nothing }`, "Agora-Explain", "analyze"); status != 400 || strings.Contains(body, `"plan"`) {
		t.Errorf("an operation that is not valid: %d %s", status, body)
	}
}
