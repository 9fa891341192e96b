package floor

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

func TestRequestsThatOverlapAreOneStage(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	got := Stages([]shop.Recorded{
		{Subgraph: "reviews", Body: "3", Start: at(30), End: at(50)},
		{Subgraph: "products", Body: "2", Start: at(1), End: at(21)},
		{Subgraph: "accounts", Body: "1", Start: at(2), End: at(22)},
		{Subgraph: "inventory", Body: "4", Start: at(49), End: at(70)},
		{Subgraph: "accounts", Body: "5", Start: at(51), End: at(71)},
	})
	want := [][]Request{{{"/accounts", "1"}, {"/products", "2"}}, {{"/inventory", "4"}, {"/reviews", "3"}}, {{"/accounts", "5"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
}

func TestMakesAllRequestsAndAnswersTheSame(t *testing.T) {
	subgraphs, err := shop.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	below := httptest.NewServer(subgraphs)
	defer below.Close()
	address := below.Listener.Addr().String()
	fixture := Fixture{Subgraphs: address, Answer: "the answer", Stages: [][]Request{
		{{"/accounts", `{"query":"{me{id}}"}`}, {"/products", `{"query":"{topProducts{upc}}"}`}},
		{{"/accounts", `{"query":"{users{id}}"}`}},
	}}
	for _, client := range []string{"raw", "net/http"} {
		t.Run(client, func(t *testing.T) {
			handler, err := Handler(fixture, client)
			if err != nil {
				t.Fatal(err)
			}
			before, _ := shop.Remote{Address: address}.State(t.Context())
			for range 3 {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, httptest.NewRequest("POST", "/graphql", strings.NewReader("{}")))
				if body, _ := io.ReadAll(answer.Body); answer.Code != 200 || string(body) != "the answer" {
					t.Errorf("status %d, %s", answer.Code, body)
				}
			}
			after, _ := shop.Remote{Address: address}.State(t.Context())
			if made := after.Requests - before.Requests; made != 9 {
				t.Errorf("%d requests to subgraphs, want 9", made)
			}
		})
	}
}
