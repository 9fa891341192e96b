package mail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

var hello = Message{ID: "msg_1", To: "ada@example.com", Subject: "Grüße, 世界", Text: "Use this:\n\nhttps://shop.example/verify?token=agora_mt_ABC=.\n.\nbye\n"}

// server is an SMTP server of one connection, and the messages that it has taken.
type server struct {
	address string
	// refuse is the answer to RCPT, if not empty; answer that to the data.
	refuse, answer string
	taken          chan string
}

func serve(t *testing.T, s *server) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address, s.taken = l.Addr().String(), make(chan string, 1)
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		s.talk(conn)
	}()
	return s
}

func (s *server) talk(conn net.Conn) {
	in := bufio.NewReader(conn)
	say := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch word, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); {
		case word == "RCPT" && s.refuse != "":
			say(s.refuse)
		case word == "DATA":
			say("354 go on")
			var body strings.Builder
			for line, err = in.ReadString('\n'); err == nil && line != ".\r\n"; line, err = in.ReadString('\n') {
				body.WriteString(strings.TrimPrefix(line, "."))
			}
			if s.answer == "" {
				s.taken <- body.String()
				say("250 ok")
				continue
			}
			say(s.answer)
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// check reads a message as a mail program would.
func check(t *testing.T, raw, from string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	for name, want := range map[string]string{
		"From": from, "To": "<ada@example.com>", "Message-Id": "<msg_1@" + from[strings.IndexByte(from, '@')+1:], "Auto-Submitted": "auto-generated",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(m.Header.Get("Subject"), "=?UTF-8?") {
		t.Errorf("subject %q", m.Header.Get("Subject"))
	}
	body, _ := io.ReadAll(m.Body)
	if want := []byte("token=3Dagora_mt_ABC=3D."); !bytes.Contains(bytes.ReplaceAll(body, []byte("=\r\n"), nil), want) {
		t.Errorf("body %q, want it to contain %q", body, want)
	}
}

func TestAMessageReachesTheServer(t *testing.T) {
	s := serve(t, &server{})
	sender, err := Open("smtp://"+s.address+"?tls=none&from=Shop+%3Cshop@shop.example%3E", quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	check(t, <-s.taken, `"Shop" <shop@shop.example>`)
}

func TestOnlyARefusedRecipientIsFinal(t *testing.T) {
	for name, test := range map[string]struct {
		server server
		final  bool
	}{
		"no such mailbox":       {server{refuse: "550 5.1.1 no such mailbox"}, true},
		"greylisted":            {server{refuse: "451 4.7.1 come back"}, false},
		"the message is spam":   {server{answer: "554 5.7.1 spam"}, false},
		"the disk is full":      {server{answer: "452 4.3.1 no space"}, false},
		"the server breaks off": {server{refuse: "421 4.3.2 shutting down"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, &test.server)
			sender, err := Open("smtp://"+s.address+"?tls=none", quiet)
			if err != nil {
				t.Fatal(err)
			}
			if err := sender.Send(t.Context(), hello); err == nil || errors.Is(err, ErrRefused) != test.final {
				t.Errorf("error %v, want it to be final: %v", err, test.final)
			}
		})
	}
	sender, err := Open("smtp://127.0.0.1:1?tls=none", quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), hello); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("no server: %v", err)
	}
}

func TestNothingIsSentUnencryptedUnlessThatIsSaid(t *testing.T) {
	s := serve(t, &server{})
	sender, err := Open("smtp://"+s.address, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), hello); err == nil || len(s.taken) > 0 {
		t.Errorf("a server without STARTTLS got it: %v", err)
	}
}

func TestAFolderHoldsEachMessageOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail")
	sender, err := Open("file:"+path, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sender.Send(t.Context(), hello); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(path)
	if err != nil || len(files) != 1 || files[0].Name() != "msg_1.eml" {
		t.Fatalf("files %v, %v", files, err)
	}
	raw, err := os.ReadFile(filepath.Join(path, "msg_1.eml"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, string(raw), `"Agora" <no-reply@agora.example>`)
	if err := sender.Send(t.Context(), Message{ID: "../x", To: "a@example.com"}); err == nil {
		t.Error("a message has left the folder")
	}
}

func TestTheLogNotesAMessageWithoutItsText(t *testing.T) {
	var log bytes.Buffer
	sender, err := Open("", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "msg_1") || strings.Contains(text, "agora_mt") || strings.Contains(text, "ada@") {
		t.Errorf("log: %s", text)
	}
}

func TestAURLThatIsNoneOfOursIsRefusedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{"http://u:secret@host", "smtp://u:secret@host?tls=some", "smtp://u:secret@host?from=nobody", "smtp://u:secret@ho st", "file:", "smtp://u:secret@"} {
		if _, err := Open(url, quiet); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q): %v", url, err)
		}
	}
}

func TestARecipientCannotSmuggleHeaders(t *testing.T) {
	sender, err := Open("file:"+t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	m := hello
	m.To = "ada@example.com\r\nBcc: eve@example.com"
	if err := sender.Send(t.Context(), m); !errors.Is(err, ErrRefused) {
		t.Errorf("error %v, want ErrRefused", err)
	}
}
