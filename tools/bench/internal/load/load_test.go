package load

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestQuantilesAreNearTheTruth(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for _, test := range []struct {
		q    float64
		want time.Duration
	}{{0, time.Microsecond}, {0.5, 500 * time.Microsecond}, {0.99, 990 * time.Microsecond}} {
		got := h.quantile(test.q)
		if got < test.want*96/100 || got > test.want*101/100 {
			t.Errorf("quantile %v is %v, want %v", test.q, got, test.want)
		}
	}
}

func TestCountsRequestsAndWrongAnswers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	var client Client
	defer client.Close()
	cfg := Config{
		Address: server.Listener.Addr().String(), Path: "/", Connections: 4, Duration: 10 * time.Second, Requests: 100, First: 1000,
		Body: func(buf []byte, seq uint64) []byte { return fmt.Append(buf, seq) },
		Verify: func(seq uint64, answer []byte) error {
			if string(answer) != fmt.Sprint(seq) {
				t.Errorf("answer %q to request %d", answer, seq)
			}
			if seq%10 == 0 {
				return errors.New("wrong")
			}
			return nil
		},
	}
	result := client.Run(t.Context(), cfg)
	if result.Requests != 100 || result.Failed != 10 || result.Err == nil {
		t.Errorf("%d requests, %d failed, %v; want 100, 10 and why", result.Requests, result.Failed, result.Err)
	}
	if result.P50 <= 0 || result.P99 < result.P50 {
		t.Errorf("p50 %v, p99 %v", result.P50, result.P99)
	}
	server.CloseClientConnections() // as servers do with connections that are idle
	cfg.First = 2000
	if again := client.Run(t.Context(), cfg); again.Requests != 100 || again.Failed != 10 {
		t.Errorf("over connections that the server has closed: %d requests, %d failed, %v; want 100, 10", again.Requests, again.Failed, again.Err)
	}
}
