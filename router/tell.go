package router

import (
	"net/http"
	"sync"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/serve"
)

// told are empty headers for answers: a map of a few names is larger than all else that an answer takes.
var told = sync.Pool{New: func() any { return http.Header{} }}

// tell adds the headers of an answer, if there may be any: those that subgraphs returned, and what the client is told of its
// rate limits and of the cost of its operation.
func (p *prepared) tell(answer *serve.Response, response *execute.Response) {
	if !p.verdict.Binds() && p.request.Answered == nil && p.costHeader == "" {
		return
	}
	header := told.Get().(http.Header)
	p.verdict.AddTo(header)
	p.returned.AddTo(header, response.Code != "")
	if p.costHeader != "" {
		header.Set(p.costHeader, "estimated="+decimal(p.estimate)+", actual="+decimal(p.cost.Actual(answer.Body, p.request.Variables)))
	}
	answer.Header = header
	answer.Free = func() {
		clear(header)
		told.Put(header)
		response.Release()
	}
}
