package execute

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/transport"
)

// ahead starts requests without waiting.
type ahead struct{ transport.Transport }

type flight struct {
	done chan struct{}
	resp *transport.Response
	err  error
}

// Start lets the request take its time.
func (a ahead) Start(ctx context.Context, req *transport.Request) transport.Pending {
	f := &flight{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.resp, f.err = a.Send(ctx, req)
	}()
	return f
}

// Receive waits for it.
func (f *flight) Receive(context.Context) (*transport.Response, error) {
	<-f.done
	return f.resp, f.err
}

func TestRequestsSentAheadTakeNoLongerThanOthers(t *testing.T) {
	for name, took := range map[string]map[string]time.Duration{
		"either branch goes on by itself": {"f0": time.Second, "f1": 3 * time.Second, "f2": 4 * time.Second, "f3": time.Second, "f4": time.Second},
		"the other branch is slower":      {"f0": 5 * time.Second, "f1": time.Second, "f2": time.Second, "f3": time.Second, "f4": time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var ends [2]time.Duration
			for i := range ends {
				synctest.Test(t, func(t *testing.T) {
					s := &slow{start: time.Now(), took: took}
					tr := transport.Transport(s)
					if i == 1 {
						tr = ahead{s}
					}
					resp := New(Config{Transports: []transport.Transport{tr}}).Execute(t.Context(), graph(t), &Request{})
					if got, want := string(resp.Body), `{"data":{"x0":0,"x1":1,"x2":2,"x3":3,"x4":4}}`; got != want {
						t.Errorf("response %s, want %s", got, want)
					}
					ends[i] = time.Since(s.start)
				})
			}
			if ends[0] != ends[1] {
				t.Errorf("took %v, sent ahead %v", ends[0], ends[1])
			}
		})
	}
}

func TestRequestsSentAheadAnswerLikeOthers(t *testing.T) {
	world := &shop{users: 5, products: 8}
	var got [2]string
	for i, tr := range []transport.Transport{world, ahead{world}} {
		x, p := wide(t, tr)
		resp := x.Execute(t.Context(), p, &Request{})
		got[i] = string(resp.Body)
		resp.Release()
	}
	if diff := cmp.Diff(got[0], got[1]); diff != "" {
		t.Errorf("responses (-waited for +sent ahead):\n%s", diff)
	}
}

// unstarted panics when a request is to be sent ahead.
type unstarted struct{ transport.Transport }

// Start panics.
func (unstarted) Start(context.Context, *transport.Request) transport.Pending { panic("oops") }

func TestATransportThatCannotStartIsAskedToSend(t *testing.T) {
	world := &shop{users: 2, products: 2}
	x, p := wide(t, unstarted{world})
	if resp := x.Execute(t.Context(), p, &Request{}); resp.Errors > 0 {
		t.Errorf("response %s", resp.Body)
	}
}
