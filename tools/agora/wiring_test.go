package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// soon waits until a condition holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// count reads one number of a service's database.
func count(t *testing.T, folder, service, statement string) (n int) {
	t.Helper()
	db, err := database.View("sqlite:" + filepath.Join(folder, service+".db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Read.Get(&n, statement); err != nil {
		t.Fatal(err)
	}
	return n
}

var verifyLink = regexp.MustCompile(`(http://\S+/account/verify)#(agora_mt_[A-Z0-9]+)`)

func TestADevelopmentShopPutsMailIntoItsFolderWithLinksThatWork(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	if !strings.Contains(p.output.String(), filepath.Join(folder, "mail")) {
		t.Errorf("it doesn't say where mail is:\n%s", p.output)
	}
	b := p.newBuyer()
	var letters []string
	soon(t, "mail comes", func() bool {
		letters, _ = filepath.Glob(filepath.Join(folder, "mail", "*.eml"))
		return len(letters) > 0
	})
	raw, err := os.ReadFile(letters[0])
	if err != nil {
		t.Fatal(err)
	}
	link := verifyLink.FindStringSubmatch(strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(string(raw)))
	if link == nil {
		t.Fatalf("no link in\n%s", raw)
	}
	for _, page := range []string{link[1], p.url + "/account/reset", p.url + "/account/letter.js"} {
		response, err := http.Get(page)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %v", page, response, err)
			continue
		}
		response.Body.Close()
	}
	b.do(`mutation ($token: String!) { emailVerify(input: {token: $token}) { userErrors { message } } }`, map[string]any{"token": link[2]})
	if me := b.do(`{ me { emailVerified } }`, nil); at(me, "me.emailVerified") != true {
		t.Errorf("the link has led to %v", me)
	}
	p.interrupt()
	startCommand(t, nil, binary, "dev", "--listen", "127.0.0.1:0", "--data", folder, "--fresh")
	if _, err := os.Stat(letters[0]); err == nil {
		t.Error("--fresh leaves mail")
	}
}

func TestKeysRotateWhileTheShopRunsAndNobodyIsLoggedOut(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	b := p.newBuyer()
	out, err := exec.Command(binary, "keys", "rotate", "--data", folder).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "the next key signs from 20") {
		t.Errorf("%s %v", out, err)
	}
	if me := b.do(`{ me { id } }`, nil); text(me, "me.id") == "" {
		t.Errorf("an older token gives %v", me)
	}
	if got := fail(t, "keys", "rotate", "--data", t.TempDir()); !strings.Contains(got, "secret") {
		t.Errorf("of an empty folder it says %q", got)
	}
}

func TestTheProviderTellsPaymentsAndPaymentsTellsOthersByWebhook(t *testing.T) {
	t.Parallel()
	told := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("webhook-signature") == "" {
			t.Error("a webhook is not signed")
		}
		told <- string(body)
	}))
	defer receiver.Close()
	folder := t.TempDir()
	p := start(t, folder)
	created := p.staff().do(`mutation ($i: WebhookEndpointCreateInput!) { webhookEndpointCreate(input: $i) { secret userErrors { message } } }`,
		map[string]any{"i": map[string]any{"url": receiver.URL, "eventTypes": []any{"agora.orders.order.confirmed.v1"}, "idempotencyKey": "w"}})
	if !strings.HasPrefix(text(created, "webhookEndpointCreate.secret"), "whsec_") {
		t.Fatalf("endpoint: %v", created)
	}
	journey(t, p)
	select {
	case body := <-told:
		if !strings.Contains(body, `"type":"agora.orders.order.confirmed.v1"`) {
			t.Errorf("told %s", body)
		}
	case <-time.After(30 * time.Second):
		t.Error("nobody is told of the order")
	}
	forged, err := http.Post(p.url+webhookPath, "application/json", strings.NewReader(`{"type":"charge.refunded"}`))
	if err != nil || forged.StatusCode != http.StatusUnauthorized {
		t.Errorf("a forged webhook: %v %v", forged, err)
	}
	soon(t, "the provider's webhooks come", func() bool {
		return count(t, folder, "payments", `SELECT COUNT(*) FROM notification WHERE payment_id <> ''`) > 0
	})
}
