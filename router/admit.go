package router

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/overload"
	"github.com/agora-supergraph/agora/router/ratelimit"
	"github.com/agora-supergraph/agora/router/serve"
)

// admit refuses a request that may cost too much, or one too many of its client's.
func (r *Router) admit(ctx context.Context, req *serve.Request, p *prepared) *serve.Response {
	if refused := r.price(req, p); refused != nil {
		return refused
	}
	if r.limits == nil || req.Renewed {
		return nil
	}
	p.verdict = r.limits.Take(ctx, caller(req), max(1, p.estimate))
	verdict := &p.verdict
	if verdict.Rule == "" {
		return nil
	}
	header := http.Header{}
	verdict.AddTo(header)
	message := "Too many requests: try again in " + header.Get("Retry-After") + " s."
	if verdict.RetryAfter == 0 {
		message = "The operation takes more at once than the rate limit " + verdict.Rule + " ever allows: ask for less."
	}
	refused := serve.Refuse(serve.TooManyRequests, "REQUEST_RATE_LIMITED", message)
	refused.Header = header
	refused.Operation = p.describeOperation("REQUEST_RATE_LIMITED")
	return refused
}

// caller is who a request comes from, as far as that is proven.
func caller(req *serve.Request) ratelimit.Caller {
	c := ratelimit.Caller{Address: req.Address, Client: client(req)}
	if req.Claims != nil && req.Claims.Subject != "" {
		c.Subject = req.Claims.Issuer + " " + req.Claims.Subject
	}
	return c
}

// client is the program that sends a request, if its API key proves that.
func client(req *serve.Request) string {
	if req.Claims == nil {
		return ""
	}
	return req.Claims.Client
}

// price estimates what a request costs, and refuses it if that is too much for its client.
func (r *Router) price(req *serve.Request, p *prepared) *serve.Response {
	if p.cost == nil {
		return nil
	}
	p.costHeader = r.cfg.Cost.Header
	p.estimate = p.cost.Estimate(p.request.Variables)
	if !r.cfg.Cost.Refuses(client(req), p.estimate) {
		return nil
	}
	refused := refuse(&operation.Error{
		Code: cost.CodeTooExpensive,
		Message: fmt.Sprintf("The operation is estimated to cost %s, more than %d: ask for fewer items by first or last, or for fewer fields.",
			decimal(p.estimate), r.cfg.Cost.Bound(client(req))),
	})
	refused.Operation = p.describeOperation(cost.CodeTooExpensive)
	return refused
}

func decimal(cost float64) string { return strconv.FormatFloat(cost, 'f', -1, 64) }

// enter waits for a place among the operations that run, if there is a bound. The caller leaves it.
func (r *Router) enter(ctx context.Context, req *serve.Request, p *prepared) (place overload.Place, refused *serve.Response) {
	if r.places == nil {
		return place, nil
	}
	place, err := r.places.Enter(ctx, overload.Operation{Name: p.name, Kind: kinds[p.kind], Client: client(req)})
	if err == nil {
		return place, nil
	}
	message := "The router is overloaded: try again in a second."
	if !errors.Is(err, overload.ErrOverloaded) {
		message = "The request was not waited for."
	}
	refused = serve.Refuse(serve.Unavailable, "OVERLOADED", message)
	refused.Header = http.Header{"Retry-After": {"1"}}
	refused.Operation = p.describeOperation("OVERLOADED")
	return place, refused
}

// leave gives a place back. Of an operation whose client has gone, the time tells nothing.
func leave(ctx context.Context, place overload.Place) { place.Leave(ctx.Err() == nil) }

// Ready says whether new requests are welcome: not while some of them are refused for want of room.
func (r *Router) Ready(ctx context.Context) error {
	if r.places != nil && r.places.Busy() {
		return errors.New("overloaded")
	}
	if r.cfg.Serve.Ready != nil {
		return r.cfg.Serve.Ready(ctx)
	}
	return nil
}
