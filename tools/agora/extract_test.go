package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

// extracting runs agora extract, and returns what it says and its error.
func extracting(env []string, args ...string) (string, error) {
	command := exec.Command(binary, append([]string{"extract"}, args...)...)
	command.Env = append(command.Environ(), env...)
	out, err := command.CombinedOutput()
	return string(out), err
}

// moves runs agora extract, which must succeed.
func moves(t *testing.T, args ...string) {
	t.Helper()
	if out, err := extracting(nil, args...); err != nil {
		t.Fatalf("extract %v: %v\n%s", args, err, out)
	} else {
		t.Log(out)
	}
}

// shopping has people order one unit after the other until stop is closed, and returns what they have sent.
func shopping(people []buyer, variant string, total int, stop <-chan struct{}) (all []sent) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, b := range people {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				s := sent{buyer: i, input: order(b, variant, total, i, n)}
				if r, err := b.send(createQuery, s.input); err == nil {
					s.acknowledged = text(r.Data, "orderCreate.order.id")
				}
				mu.Lock()
				all = append(all, s)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all
}

func TestServicesMoveToPostgresAndBackWhileOrdersArePlaced(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	variant, sku, _ := p.variantWith(10000)
	people := make([]buyer, 2)
	for i := range people {
		people[i] = p.newBuyer()
	}
	total := number(people[0].do(addQuery, map[string]any{"v": variant, "n": 1}), "cartLinesAdd.cart.total.minorUnits")
	var all []sent
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		all = shopping(people, variant, total, stop)
	}()
	services := []string{"orders"}
	if os.Getenv("AGORA_EXTRACT") == "all" { // minutes
		services = []string{"orders", "inventory", "payments", "users", "products", "provider"}
	}
	for _, service := range services {
		moves(t, service, "--data", folder, "--to", databasetest.Postgres(t))
		time.Sleep(300 * time.Millisecond)
	}
	for _, service := range services {
		moves(t, service, "--data", folder, "--back")
		time.Sleep(300 * time.Millisecond)
	}
	close(stop)
	<-ended

	confirmed, acknowledged := 0, 0
	for _, s := range all {
		status, id := placedByKey(people[s.buyer], s.input)
		if s.acknowledged != "" {
			acknowledged++
			if s.acknowledged != id {
				t.Errorf("%v: acknowledged as order %s, and now it is %q", s.input, s.acknowledged, id)
			}
		}
		if status == "CONFIRMED" {
			confirmed++
		}
	}
	t.Logf("%d orders, %d acknowledged, %d confirmed", len(all), acknowledged, confirmed)
	stock := p.staff().do(stockQuery, map[string]any{"sku": sku})
	if number(stock, "variant.stockLevel.sold") != confirmed || number(stock, "variant.stockLevel.reserved") != 0 {
		t.Errorf("%d orders are confirmed, and the stock is %v", confirmed, stock)
	}
	found := client{program: p}.do(`{ products(query: "moka") { totalCount } }`, nil)
	if number(found, "products.totalCount") == 0 {
		t.Errorf("the search finds nothing: %v", found)
	}
	auditFolder(t, folder)
	if status := p.interrupt(); status != 0 {
		t.Errorf("exit status %d\n%s", status, p.output)
	}
	auditFolder(t, folder)
}

func TestConnectionsAndSubscriptionsGoOnWhileDataMoves(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	variant, _, _ := p.variantWith(10)
	b := p.newBuyer()
	order, payment := waiting(b.client, variant)
	next := serverSentEvents(t, b.client, order)
	if first := next(); !strings.Contains(first, "ACTION_REQUIRED") {
		t.Fatalf("first event: %s", first)
	}

	connections := 0
	one := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxConnsPerHost: 1, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		connections++
		return new(net.Dialer).DialContext(ctx, network, address)
	}}}
	stop, ended := make(chan struct{}), make(chan int)
	go func() {
		answers := 0
		defer func() { ended <- answers }()
		for ; ; answers++ {
			select {
			case <-stop:
				return
			default:
			}
			resp, err := one.Post(p.url+"/graphql", "application/json", strings.NewReader(`{"query":"{ products(first: 1) { totalCount } }"}`))
			if err != nil {
				t.Errorf("answer %d: %v", answers, err)
				return
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !strings.HasPrefix(string(body), `{"data":{"products":{"totalCount":`) {
				t.Errorf("answer %d: %s, %v", answers, body, err)
			}
		}
	}()
	moves(t, "orders", "--data", folder, "--to", databasetest.Postgres(t))
	watch(t, b.client, next, payment) // it begins with how things stand, again
	close(stop)
	if answers := <-ended; connections != 1 || answers < 10 {
		t.Errorf("%d answers on %d connections, want them on one", answers, connections)
	}
}

func TestAMoveThatIsKilledGoesOnWhereItWasAndOneThatDiffersIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	start(t, folder).interrupt()
	to := databasetest.Postgres(t)
	for _, point := range []string{"extract.step=kill", "extract.verified=kill"} {
		if out, err := extracting([]string{"AGORA_FAULTS=" + point}, "products", "--data", folder, "--to", to); err == nil {
			t.Fatalf("%s: it lives: %s", point, out)
		}
	}
	copied, err := database.Connect(to)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	change := func(statement string) {
		if _, err := copied.Read.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ change, undo, want string }{
		{`UPDATE variant SET price = price + 1`, `UPDATE variant SET price = price - 1`, "the table variant has"},
		{`DELETE FROM catalogue_generation`, `INSERT INTO catalogue_generation (one, last) SELECT 1, 1`, "the table catalogue_generation has 1 rows, and its copy has 0"},
	} {
		change(test.change)
		out, err := extracting(nil, "products", "--data", folder, "--to", to)
		if err == nil || !strings.Contains(out, "nothing is switched") || !strings.Contains(out, test.want) {
			t.Errorf("%s: %v\n%s", test.change, err, out)
		}
		change(test.undo)
	}
	// The service goes on as if nothing had been begun.
	p := start(t, folder)
	p.variantWith(3)
	p.interrupt()
	moves(t, "products", "--data", folder, "--to", to, "--fresh")
	if out, err := extracting([]string{"AGORA_FAULTS=extract.switched=kill"}, "products", "--data", folder, "--back"); err == nil {
		t.Fatalf("it lives: %s", out)
	}
	moves(t, "products", "--data", folder, "--back")
	moves(t, "products", "--data", folder, "--back") // there is nothing to do
	journey(t, start(t, folder))
}

func TestAMoveThatMakesNoSenseIsRefusedUntouched(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	start(t, folder).interrupt()
	used := databasetest.Postgres(t)
	db, err := database.Open(t.Context(), used)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"shipping", "--to", used}, "which service? Name one of users"},
		{[]string{"orders"}, "want one of --to URL, --back and --abandon"},
		{[]string{"orders", "--to", used}, "is not empty"},
		{[]string{"orders", "--to", "mysql://x/y"}, "want postgres://"},
		{[]string{"orders", "--to", "postgres://nobody:secret@127.0.0.1:1/none?sslmode=disable"}, "connection refused"},
	} {
		out, err := extracting(nil, append(test.args, "--data", folder)...)
		if err == nil || !strings.Contains(out, test.want) || strings.Contains(out, "secret@") {
			t.Errorf("%v: %v\n%s\nwant %q", test.args, err, out, test.want)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(folder, "services.yaml")); len(found) > 0 {
		t.Errorf("it has written %v", found)
	}
	auditFolder(t, folder)
}

func TestHealthSaysWhetherAProcessIsReady(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte("the bus can't be reached\n"))
	}))
	defer server.Close()
	for _, want := range []int{0, 1} {
		var out, diagnostics bytes.Buffer
		if got := run(t.Context(), []string{"health", server.URL}, &out, &diagnostics); got != want {
			t.Errorf("exit status %d, want %d: %s%s", got, want, &out, &diagnostics)
		}
		status = http.StatusServiceUnavailable
	}
}

// order is the input of an order of one unit.
func order(b buyer, variant string, total, who, n int) map[string]any {
	return map[string]any{"i": map[string]any{
		"lines": []any{map[string]any{"variantId": variant, "quantity": 1}}, "addressId": b.address, "paymentMethodToken": "tok_ok",
		"expectedTotalMinorUnits": total, "idempotencyKey": fmt.Sprint("load ", who, " ", n), "waitMs": 50,
	}}
}
