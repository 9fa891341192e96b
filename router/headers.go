package router

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/serve"
)

// source gives rules what they insert into the headers to subgraphs.
type source struct {
	req    *serve.Request
	signer *auth.Signer
}

// Value is what the request says under a name of headers.RequestRule.From.
func (s source) Value(name string) string {
	switch name {
	case "request.id":
		return s.req.ID
	case "client.address":
		return s.req.Address
	case "client.name":
		return s.req.Client.Name
	case "client.version":
		return s.req.Client.Version
	}
	if name == "identity.bearer" || name == "identity.token" {
		return s.identity(name == "identity.bearer")
	}
	claim, _ := strings.CutPrefix(name, "claim.")
	if s.req.Claims == nil {
		return ""
	}
	switch value := s.req.Claims.Raw[claim].(type) {
	case nil:
		return ""
	case string:
		return value
	case map[string]any, []any:
		text, err := json.Marshal(value)
		if err != nil {
			return ""
		}
		return string(text)
	default:
		return fmt.Sprint(value)
	}
}

// identity is a token for who is asking, or empty. What can't be signed is nobody's: the subgraph refuses it.
func (s source) identity(bearer bool) string {
	if s.signer == nil {
		return ""
	}
	token, err := s.signer.Token(s.req.Claims)
	if err != nil || token == "" {
		return ""
	}
	if bearer {
		return "Bearer " + token
	}
	return token
}

// collect begins to collect headers of answers for the client, if rules ask for any.
func (p *prepared) collect(policy *headers.Policy) {
	if policy.Returns() {
		p.returned = policy.Response()
		p.request.Answered = &p.returned
	}
}
