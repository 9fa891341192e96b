package execute

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/transport"
)

// stream plays events; an error ends it.
type stream struct {
	events []string
	end    error
	closed bool
	reused []byte
}

func (s *stream) Next(ctx context.Context) ([]byte, error) {
	if len(s.events) == 0 {
		return nil, s.end
	}
	// The bytes of an event are valid until the next one only.
	s.reused = append(s.reused[:0], s.events[0]...)
	s.events = s.events[1:]
	return s.reused, ctx.Err()
}

func (s *stream) Close() error {
	s.closed = true
	return nil
}

// streaming is a subgraph that starts a subscription and answers entities.
type streaming struct {
	subgraphs
	stream *stream
	got    string
}

func (s *streaming) Subscribe(_ context.Context, req *transport.Request) (transport.Stream, error) {
	s.got = string(req.Body) + "|" + string(req.Variables)
	if s.stream == nil {
		return nil, &transport.Error{Code: transport.CodeHTTP, Message: "is full"}
	}
	return s.stream, nil
}

const orderUpdates = `
kind subscription
supergraph orders payments: Order
variable id "7"
fetch orders with id {order{__typename _id=id state}}
fetch payments after 0
entities
represent Order as Order
at order {id=_id*} {paid}
output {order:<Order>{state:String paid:Boolean}}`

func TestEventsAreCompletedByFurtherFetches(t *testing.T) {
	s := &streaming{stream: &stream{end: &transport.Error{Code: transport.CodeHTTP, Message: "broke off"}, events: []string{
		`{"data":{"order":{"__typename":"Order","id":"7","state":"PENDING"}}}`,
		`{"data":{"order":null},"errors":[{"message":"gone","path":["order"]}]}`,
		`nonsense`,
	}}}
	s.sent = map[string]string{}
	s.answers = map[string]transport.Response{"f1": {Status: 200, Body: []byte(`{"data":{"e0":[{"paid":true}]}}`)}}
	p := parsePlan(t, orderUpdates)
	sub, refused := New(Config{Transports: []transport.Transport{s, s}}).Subscribe(t.Context(), p, &Request{})
	if refused != nil {
		t.Fatalf("refused: %s", refused.Body)
	}
	if want := `{"query":"f0","variables":{"id":"7"}}|{"id":"7"}`; s.got != want {
		t.Errorf("started with %s, want %s", s.got, want)
	}
	var got []string
	for {
		resp, err := sub.Next(t.Context())
		if err != nil {
			got = append(got, err.Error())
			break
		}
		got = append(got, readable(t, resp.Body))
		resp.Release()
	}
	want := []string{
		`data {"order":{"state":"PENDING","paid":true}}` + "\n",
		`error {"message":"gone","path":["order"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","serviceName":"orders"}}` + "\n" + `data {"order":null}` + "\n",
		`error {"message":"subgraph \"orders\" answered what is no GraphQL response","path":["order"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","serviceName":"orders"}}` + "\n" + `data {"order":null}` + "\n",
		`error {"message":"subgraph \"orders\" broke off","path":["order"],"extensions":{"code":"SUBREQUEST_HTTP_ERROR","serviceName":"orders"}}` + "\n" + `data {"order":null}` + "\n",
		"EOF",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}
	if err := sub.Close(); err != nil || !s.stream.closed {
		t.Errorf("Close: %v, closed at the subgraph: %v", err, s.stream.closed)
	}
}

func TestARefusedSubscriptionIsAResponse(t *testing.T) {
	s := &streaming{}
	p := parsePlan(t, orderUpdates)
	sub, refused := New(Config{Transports: []transport.Transport{s, s}}).Subscribe(t.Context(), p, &Request{})
	if sub != nil || refused == nil || refused.Code != transport.CodeHTTP {
		t.Fatalf("Subscribe = %v, %+v", sub, refused)
	}
}

func TestTheEndOfAContextEndsNext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &streaming{stream: &stream{events: []string{"{}"}, end: io.EOF}}
	sub, _ := New(Config{Transports: []transport.Transport{s, s}}).Subscribe(t.Context(), parsePlan(t, orderUpdates), &Request{})
	if resp, err := sub.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next = %v, %v", resp, err)
	}
	if resp, err := sub.Next(t.Context()); err != io.EOF {
		t.Errorf("Next = %v, %v", resp, err)
	}
}
