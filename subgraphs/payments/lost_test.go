package payments_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/subgraphs/payments/sandbox"
)

// What the sandbox is told to lose is lost whichever handler it comes to, and a lost request ends with its caller.
func TestTheSandboxLosesAsManyRequestsAsItIsTold(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t), databasetest.SQLite(t), true)
	b.sandbox.Close()
	b.openSandbox(sandbox.Config{Database: databasetest.SQLite(t), Lost: 500, Seed: 1}, true)
	const asked = 40
	for range asked {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.remote.URL+"/v1/charges", strings.NewReader(`{"token":"tok_ok"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer sk_test")
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
		cancel()
	}
	eventually(t, "all requests have ended", func() bool { return b.requests.Load() == asked })
	if lost := b.unanswered.Load(); lost < asked/4 || lost > 3*asked/4 {
		t.Errorf("%d of %d requests are lost, want about half", lost, asked)
	}
}
