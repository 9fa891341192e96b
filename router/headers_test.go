package router

import (
	"encoding/json"
	"testing"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/serve"
)

func TestAClaimStandsInAHeaderAsItStoodInTheToken(t *testing.T) {
	claims := &auth.Claims{Raw: map[string]any{
		"text": "ada", "number": json.Number("9007199254740993"), "list": []any{"a", json.Number("1e3")}, "yes": true, "nothing": nil,
	}}
	from := source{req: &serve.Request{Claims: claims}}
	for claim, want := range map[string]string{
		"text": "ada", "number": "9007199254740993", "list": `["a",1e3]`, "yes": "true", "nothing": "", "missing": "",
	} {
		if got := from.Value("claim." + claim); got != want {
			t.Errorf("%s is %q, want %q", claim, got, want)
		}
	}
}
