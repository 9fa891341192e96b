package serve

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPatientConnectionKeepsItsDeadlines(t *testing.T) {
	none := time.Duration(0)
	for name, test := range map[string]struct {
		// deadlines are set one after the other, as times from now; want is when a read ends.
		deadlines []time.Duration
		want      time.Duration
	}{
		"one":                    {[]time.Duration{time.Second}, time.Second},
		"a later one":            {[]time.Duration{time.Second, time.Minute}, time.Minute},
		"an earlier one":         {[]time.Duration{time.Minute, time.Second}, time.Second},
		"one after it is lifted": {[]time.Duration{time.Second, none, time.Minute}, time.Minute},
		"one of the past":        {[]time.Duration{time.Minute, -time.Hour}, 0},
		"one after the past":     {[]time.Duration{-time.Hour, none, time.Minute}, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			defer theirs.Close()
			conn := patient(ours)
			began := time.Now()
			set := func(set func(time.Time) error) {
				for _, d := range test.deadlines {
					at := time.Time{}
					if d != none {
						at = began.Add(d)
					}
					if err := set(at); err != nil {
						t.Error(err)
					}
				}
			}
			set(conn.SetReadDeadline)
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != test.want {
				t.Errorf("%s: read: %v after %s, want %s", name, err, time.Since(began), test.want)
			}
			began = time.Now()
			set(conn.SetWriteDeadline)
			if _, err := conn.Write(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != test.want {
				t.Errorf("%s: write: %v after %s, want %s", name, err, time.Since(began), test.want)
			}
		})
	}
}

func TestWhatAPatientConnectionWritesArrivesOnceThoughItsReaderIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		conn := patient(ours)
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_ = conn.SetWriteDeadline(time.Now().Add(time.Minute))
		go func() {
			if n, err := conn.Write([]byte("hello")); n != 5 || err != nil {
				t.Errorf("wrote %d bytes, %v", n, err)
			}
			_ = conn.Close()
		}()
		b := make([]byte, 2)
		_, _ = io.ReadFull(theirs, b)
		time.Sleep(30 * time.Second)
		if rest, err := io.ReadAll(theirs); string(b)+string(rest) != "hello" || err != nil {
			t.Errorf("read %q, %v", string(b)+string(rest), err)
		}
	})
}
