package router_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/transport"
)

// lies are what a subgraph may answer instead of {"data":{"_entities":[{"stars":5}]}}, and what the client is told.
var lies = map[string]struct {
	answer http.HandlerFunc
	code   string
}{
	"an entity is missing":                {answers(200, `{"data":{"_entities":[null]}}`), ""},
	"an entity of another type":           {answers(200, `{"data":{"_entities":[{"__typename":"Review","stars":"five"}]}}`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"too few entities":                    {answers(200, `{"data":{"_entities":[]}}`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"too many entities":                   {answers(200, `{"data":{"_entities":[{"stars":5},{"stars":6}]}}`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"entities that are no list":           {answers(200, `{"data":{"_entities":{"stars":5}}}`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"a scalar of another kind":            {answers(200, `{"data":{"_entities":[{"stars":{"of":5}}]}}`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"a number beyond Int":                 {answers(200, `{"data":{"_entities":[{"stars":5000000000}]}}`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"HTML":                                {answers(200, `<html><body>Welcome</body></html>`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"HTML, and 502":                       {answers(502, `<html>Bad Gateway</html>`), "SUBREQUEST_HTTP_ERROR"},
	"500 with data":                       {answers(500, `{"data":{"_entities":[{"stars":null}]}}`), "SUBREQUEST_HTTP_ERROR"},
	"500 with errors":                     {answers(500, `{"errors":[{"message":"down"}],"data":null}`), "DOWNSTREAM_SERVICE_ERROR"},
	"nothing":                             {answers(200, ``), "SUBREQUEST_MALFORMED_RESPONSE"},
	"half an answer":                      {answers(200, `{"data":{"_entities":[{"sta`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"errors that are none":                {answers(200, `{"errors":7}`), "SUBREQUEST_MALFORMED_RESPONSE"},
	"no end, and nothing but a beginning": {endless(`{"data":{"_entities":[{"stars":5}`, ""), "GATEWAY_TIMEOUT"},
	"no end, and ever more":               {endless(`{"data":{"_entities":[{"stars":5}`, strings.Repeat(" ", 1<<12)), "SUBREQUEST_RESPONSE_TOO_LARGE"},
	"ever more after the answer":          {endless(`{"data":{"_entities":[{"stars":5}]}}`, strings.Repeat(" ", 1<<12)), "SUBREQUEST_RESPONSE_TOO_LARGE"},
	"no answer, and the connection ends":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "SUBREQUEST_HTTP_ERROR"},
}

func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// endless begins an answer and goes on, until nobody listens any more.
func endless(beginning, more string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, beginning)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, more); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			if more == "" {
				<-r.Context().Done()
			}
		}
	}
}

func TestASubgraphThatLiesFailsItsFieldsAlone(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(lie.answer)
			defer server.Close()
			reviews, err := transport.NewHTTP(transport.HTTPConfig{URL: server.URL, Timeout: time.Second, MaxResponseBytes: 1 << 16})
			if err != nil {
				t.Fatal(err)
			}
			_, body := ask(t, newRouter(t, router.Config{Transports: map[string]transport.Transport{"users": subgraphs()["users"], "reviews": reviews}}), question)
			var got struct {
				Data   json.RawMessage
				Errors []struct {
					Message    string
					Path       []any
					Extensions struct{ Code, ServiceName string }
				}
			}
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if want := `{"me":{"name":"Ada","stars":null}}`; string(got.Data) != want {
				t.Errorf("data %s, want %s", got.Data, want)
			}
			if lie.code == "" && got.Errors == nil {
				return // An entity that is gone is null, and no error.
			}
			if len(got.Errors) != 1 || got.Errors[0].Extensions.Code != lie.code || got.Errors[0].Extensions.ServiceName != "reviews" || fmt.Sprint(got.Errors[0].Path[0]) != "me" {
				t.Errorf("%s, want one error %s of reviews below me", body, lie.code)
			}
		})
	}
}
