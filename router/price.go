package router

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/serve"
)

// price estimates what a request costs, and refuses it if that is too much for its client. Only a client that has proven
// who it is has a bound of its own.
func (r *Router) price(req *serve.Request, p *prepared) *serve.Response {
	if p.cost == nil {
		return nil
	}
	p.costHeader = r.cfg.Cost.Header
	p.estimate = p.cost.Estimate(p.request.Variables)
	client := ""
	if req.Claims != nil {
		client = req.Claims.Client
	}
	if !r.cfg.Cost.Refuses(client, p.estimate) {
		return nil
	}
	bound := r.cfg.Cost.Bound(client)
	refused := refuse(&operation.Error{
		Code: cost.CodeTooExpensive,
		Message: fmt.Sprintf("The operation is estimated to cost %s, more than %d: ask for fewer items by first or last, or for fewer fields.",
			strconv.FormatFloat(p.estimate, 'f', -1, 64), bound),
	})
	refused.Operation = serve.Operation{Name: p.name, Kind: kinds[p.kind], Code: cost.CodeTooExpensive, Cost: p.estimate}
	return refused
}

// tell adds the header that tells a client what its operation cost.
func (p *prepared) tell(answer *serve.Response) {
	if p.cost == nil || p.costHeader == "" {
		return
	}
	if answer.Header == nil {
		answer.Header = http.Header{}
	}
	format := func(cost float64) string { return strconv.FormatFloat(cost, 'f', -1, 64) }
	answer.Header.Set(p.costHeader, "estimated="+format(p.estimate)+", actual="+format(p.cost.Actual(answer.Body, p.request.Variables)))
}
