package execute

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/transport"
)

// diary writes down what an observer is told, but for times.
type diary []string

type traced struct{}

// FetchStarted marks the context.
func (d *diary) FetchStarted(ctx context.Context, f Started) context.Context {
	*d = append(*d, fmt.Sprintf("start %d %s objects=%d representations=%d bytes=%d", f.Fetch.ID, f.Subgraph, f.Objects, f.Representations, f.Sent))
	return context.WithValue(ctx, traced{}, f.Fetch.ID)
}

// FetchEnded checks the times.
func (d *diary) FetchEnded(f Ended) {
	if f.Began.IsZero() || f.Done.Before(f.Began) {
		*d = append(*d, "impossible times")
	}
	*d = append(*d, fmt.Sprintf("end %d %s status=%d bytes=%d errors=%d err=%v", f.Fetch.ID, f.Subgraph, f.Status, f.Received, f.Errors, f.Err))
}

// tracedOnly answers only requests whose context the observer has marked.
type tracedOnly struct{ transport.Transport }

// Send refuses what is not traced.
func (tr tracedOnly) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	if ctx.Value(traced{}) == nil {
		return nil, errors.New("not traced")
	}
	return tr.Transport.Send(ctx, req)
}

func TestAnObserverIsToldOfEveryRequest(t *testing.T) {
	p := parsePlan(t, `
supergraph users reviews: User
fetch users {me:User{__typename id} others{__typename id}}
fetch reviews after 0
entities
represent User
at me {id=id*} {stars}
at others {id=id*} {stars}
fetch users {broken}
output {me:<>{stars:Int} others:[<>{stars:Int}] broken:Int}`)
	stub := &subgraphs{sent: map[string]string{}, answers: map[string]transport.Response{
		"f0": answerOf(`{"data":{"me":{"__typename":"User","id":1},"others":[{"__typename":"User","id":1},{"__typename":"User","id":2},{"__typename":"User","id":null}]}}`),
		"f1": answerOf(`{"data":{"e0":[{"stars":5},null]},"errors":[{"message":"late","path":["e0",1,"stars"]}]}`),
	}}
	var told diary
	x := New(Config{Transports: []transport.Transport{ahead{tracedOnly{stub}}, tracedOnly{stub}}})
	resp := x.Execute(t.Context(), p, &Request{Observer: &told})
	defer resp.Release()
	want := `start 0 users objects=1 representations=0 bytes=29
start 2 users objects=1 representations=0 bytes=29
end 0 users status=200 bytes=145 errors=0 err=<nil>
start 1 reviews objects=3 representations=2 bytes=93
end 1 reviews status=200 bytes=88 errors=1 err=<nil>
end 2 users status=0 bytes=0 errors=1 err=connection refused by 10.0.0.1`
	if diff := cmp.Diff(sorted(want), sorted(strings.Join(told, "\n"))); diff != "" {
		t.Errorf("told (-want +got):\n%s\n%s", diff, resp.Body)
	}
}

// sorted leaves out which of two requests that don't wait for each other was first.
func sorted(text string) []string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return lines
}
