package h1

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReceivesBodiesOfKnownAndUnknownLength(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 10_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch string(body) {
		case "small":
			_, _ = io.WriteString(w, "yes")
		case "large":
			_, _ = io.WriteString(w, large)
		case "chunks":
			for i := range 4 {
				_, _ = io.WriteString(w, large[i*40_000:][:40_000])
				w.(http.Flusher).Flush()
			}
		case "refused":
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	c, err := Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, test := range []struct {
		body   string
		status int
		want   string
	}{
		{"small", 200, "yes"},
		{"chunks", 200, large},
		{"large", 200, large},
		{"refused", 418, ""},
		{"small", 200, "yes"},
	} {
		if err := c.Send(Request(nil, address, "/", []byte(test.body))); err != nil {
			t.Fatal(err)
		}
		status, body, err := c.Receive()
		if err != nil || status != test.status || string(body) != test.want {
			t.Errorf("%s: status %d, %d bytes, error %v; want %d, %d bytes", test.body, status, len(body), err, test.status, len(test.want))
		}
	}
}

func TestSaysWhatIsNoHTTP(t *testing.T) {
	listener := httptest.NewUnstartedServer(nil).Listener
	defer listener.Close()
	go func() {
		c, err := listener.Accept()
		if err == nil {
			_, _ = io.WriteString(c, "220 smtp.example ESMTP\r\n\r\n")
			_ = c.Close()
		}
	}()
	c, err := Dial(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err = c.Receive(); err == nil || !strings.Contains(err.Error(), "no HTTP response") {
		t.Errorf("error %v", err)
	}
}
