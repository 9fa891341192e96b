package transport

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// BenchmarkHTTP compares our client with net/http's. The server is in the same process: its cost is in both.
func BenchmarkHTTP(b *testing.B) {
	answer := []byte(`{"data":{"x":"` + strings.Repeat("y", 8<<10) + `"}}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	defer server.Close()
	for _, name := range []string{"own", "net/http"} {
		b.Run(name, func(b *testing.B) {
			h, err := NewHTTP(HTTPConfig{URL: server.URL})
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			if name != "own" {
				h.own = nil
			}
			req := query(`{"query":"{x}"}`)
			var before, after syscall.Rusage
			b.ReportAllocs()
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
			for b.Loop() {
				resp, err := h.Send(b.Context(), req)
				if err != nil {
					b.Fatal(err)
				}
				resp.Release()
			}
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
			spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
			b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op")
		})
	}
}
