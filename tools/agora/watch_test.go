package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/agora-supergraph/agora/internal/telemetry"
)

// watchedShop runs the whole shop in the test's own process, with a memory for its spans, and its log.
func watchedShop(t *testing.T) (*program, *tracetest.InMemoryExporter, *output) {
	t.Helper()
	memory, log := tracetest.NewInMemoryExporter(), new(output)
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(memory))
	logger := slog.New(telemetry.Log(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})))
	w := &watching{log: logger, metrics: "127.0.0.1:0"}
	if err := w.install(provider); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { telemetry.Install(telemetry.Config{}) })
	s, err := openShop(t.Context(), localSettings(t.TempDir(), []byte(strings.Repeat("s", minSecret))), everything, logger)
	if err != nil {
		t.Fatal(err)
	}
	s.watch = w
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return hosted(t, s, listener), memory, log
}

// hosted serves a shop in the test's own process, and closes it when the test ends.
func hosted(t *testing.T, s *shop, listener net.Listener) *program {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	r := &reopenable{watch: s.watch, openShop: func(context.Context) (*shop, error) { return s, nil }}
	if err := r.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- r.serve(ctx, devConfig{listen: ":0"}, listener, io.Discard) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.close()
	})
	p := &program{T: t, url: "http://" + listener.Addr().String()}
	for try := 0; ; try++ {
		resp, err := http.Get(p.url + "/health/ready")
		if err == nil {
			resp.Body.Close()
			return p
		}
		if try == 300 {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestOneTraceAndOneRequestIDFollowACheckoutFromTheClientToTheConfirmation(t *testing.T) {
	p, memory, log := watchedShop(t)
	variant, _, _ := p.variantWith(10)
	b := p.newBuyer()
	cart := b.do(addQuery, map[string]any{"v": variant, "n": 1})
	memory.Reset()

	const traceID, requestID = "4bf92f3577b34da6a3ce929d0e0e4736", "checkout-of-the-test"
	body, err := json.Marshal(map[string]any{"query": checkoutQuery, "variables": map[string]any{"i": map[string]any{
		"cartId": text(cart, "cartLinesAdd.cart.id"), "addressId": b.address, "paymentMethodToken": "tok_ok",
		"expectedTotalMinorUnits": number(cart, "cartLinesAdd.cart.total.minorUnits"), "idempotencyKey": "traced", "waitMs": 20000,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Content-Type": {"application/json"}, "Authorization": {"Bearer " + b.token},
		"Traceparent": {"00-" + traceID + "-00f067aa0ba902b7-01"}, "X-Request-Id": {requestID}, "Apollographql-Client-Name": {"web"},
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(answer), `"CONFIRMED"`) {
		t.Fatalf("checkout: %s, %v", answer, err)
	}

	wanted := []string{
		"mutation", "parse", "normalise", "build", "fetch orders", "orders", "Mutation.checkout", "ask as orders", "INSERT orders", "COMMIT orders",
		"publish agora.orders.order.pending.v1", "payments", "Mutation.paymentAuthorize", "INSERT payments", "publish agora.payments.payment.captured.v1",
		"orders.payments agora.payments.payment.captured.v1", "publish agora.orders.order.confirmed.v1",
	}
	var seen []string
	for try := 0; try < 200; try++ { // events go on behind the answer
		seen = nil
		for _, span := range memory.GetSpans() {
			if span.SpanContext.TraceID().String() == traceID && !slices.Contains(seen, span.Name) {
				seen = append(seen, span.Name)
			}
		}
		if !slices.ContainsFunc(wanted, func(name string) bool { return !slices.Contains(seen, name) }) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, name := range wanted {
		if !slices.Contains(seen, name) {
			t.Errorf("the trace has no span %q; it has:\n%s", name, strings.Join(seen, "\n"))
		}
	}
	for _, line := range []string{"msg=request id=" + requestID, "client=web", "operation", "trace=" + traceID, "fetches="} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("no %q in the log:\n%s", line, log)
		}
	}
	if strings.Contains(log.String(), b.token) || strings.Contains(log.String(), "tok_ok") || strings.Contains(fmt.Sprint(memory.GetSpans()), "tok_ok") {
		t.Error("a secret is in the log or in a span")
	}
}
