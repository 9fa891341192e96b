package transport

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// maxHeaderBytes bounds the header of an answer.
const maxHeaderBytes = 256 << 10

// h1head is what the header of an answer says.
type h1head struct {
	status int
	// length is the Content-Length, or -1.
	length  int64
	chunked bool
	// last says that the connection ends with this answer.
	last   bool
	gzip   bool
	header http.Header
}

// readAnswer reads a whole answer. Of its headers it keeps those that the configuration names.
func (conn *h1conn) readAnswer(cfg *HTTPConfig, expected *expectation) (*Response, error) {
	conn.in = inbox{buf: getBuffer(expected.room())}
	body, err := conn.readMessage(cfg)
	buf := conn.in.buf
	conn.in.buf = nil
	if err == nil {
		expected.learn(len(buf.b))
	}
	switch head := &conn.head; {
	case err != nil:
	case head.gzip:
		var unzipped *buffer
		if unzipped, err = unzip(body, int64(cfg.MaxResponseBytes)); err == nil {
			putBuffer(buf)
			buf, body = unzipped, unzipped.b
		}
	case cap(buf.b) > 4*leastRoom && len(body) < cap(buf.b)/8:
		// It may be kept for long: it must not hold the room of much larger ones.
		fitting := getBuffer(len(body))
		fitting.b = append(fitting.b, body...)
		putBuffer(buf)
		buf, body = fitting, fitting.b
	}
	if err != nil {
		putBuffer(buf)
		return nil, err
	}
	return &Response{Status: conn.head.status, Header: conn.head.header, Body: body, Free: buf.free}, nil
}

// readMessage reads head and body, and returns the latter.
func (conn *h1conn) readMessage(cfg *HTTPConfig) ([]byte, error) {
	if err := conn.readHead(cfg); err != nil {
		return nil, err
	}
	conn.spent = conn.head.last
	body, err := conn.readBody(&conn.head, int64(cfg.MaxResponseBytes))
	// Bytes behind the answer belong to nothing: the connection is out of step.
	conn.spent = conn.spent || conn.in.pos < len(conn.in.buf.b)
	return body, err
}

// readHead reads the status line and the headers into conn.head, past interim answers.
func (conn *h1conn) readHead(cfg *HTTPConfig) error {
	room := maxHeaderBytes
	for {
		head := &conn.head
		*head = h1head{length: -1}
		line, err := conn.line(&room)
		if err != nil {
			return err
		}
		// HTTP/1.1 200 OK
		version, rest, _ := bytes.Cut(line, []byte(" "))
		code, _, _ := bytes.Cut(rest, []byte(" "))
		head.last = string(version) == "HTTP/1.0"
		head.status, err = strconv.Atoi(string(code))
		if err != nil || len(code) != 3 || !head.last && string(version) != "HTTP/1.1" {
			return fmt.Errorf("malformed status line %.80q", line)
		}
		for {
			if line, err = conn.line(&room); err != nil {
				return err
			}
			if len(line) == 0 {
				break
			}
			if err := head.add(line, cfg.AnswerHeaders); err != nil {
				return err
			}
		}
		switch {
		case head.status == http.StatusSwitchingProtocols:
			return errors.New("unexpected switch of protocols")
		case head.status >= 200:
			return nil
		}
	}
}

// add takes a header line into account.
func (h *h1head) add(line []byte, keep []string) error {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 || bytes.IndexByte(name, ' ') >= 0 || bytes.IndexByte(name, '\t') >= 0 {
		return fmt.Errorf("malformed header line %.80q", line)
	}
	value = bytes.TrimSpace(value)
	switch {
	case equalFold(name, "content-length"):
		n, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil || h.length >= 0 && h.length != int64(n) {
			return fmt.Errorf("malformed Content-Length %.80q", value)
		}
		h.length = int64(n)
	case equalFold(name, "transfer-encoding"):
		if !equalFold(value, "chunked") || h.chunked {
			return fmt.Errorf("unsupported Transfer-Encoding %.80q", value)
		}
		h.chunked = true
	case equalFold(name, "connection"):
		for _, option := range strings.Split(string(value), ",") {
			switch strings.ToLower(strings.TrimSpace(option)) {
			case "close":
				h.last = true
			}
		}
	case equalFold(name, "content-encoding"):
		h.gzip = equalFold(value, "gzip")
	}
	for _, k := range keep {
		if k == "*" || equalFold(name, k) {
			if h.header == nil {
				h.header = http.Header{}
			}
			k = textproto.CanonicalMIMEHeaderKey(string(name))
			h.header[k] = append(h.header[k], string(value))
		}
	}
	return nil
}

// equalFold compares a header's name, or a value of tokens, without regard to case.
func equalFold(b []byte, s string) bool {
	return len(b) == len(s) && strings.EqualFold(string(b), s)
}

// readBody reads the body, framed as RFC 9112 section 6.3 says. It lies in the inbox.
func (conn *h1conn) readBody(head *h1head, limit int64) ([]byte, error) {
	begin := conn.in.pos
	switch {
	case head.status == http.StatusNoContent || head.status == http.StatusNotModified:
		return nil, nil
	case head.chunked:
		// A length beside it is a sign of smuggling: the answer is taken, the connection is not trusted further.
		conn.spent = conn.spent || head.length >= 0
		return conn.readChunks(limit)
	case head.length > limit:
		return nil, errTooLarge
	case head.length >= 0:
		end, err := conn.take(begin, int(head.length))
		return conn.in.buf.b[begin:end], unexpected(err)
	}
	// Neither length nor chunks: the body ends with the connection.
	conn.spent = true
	err := conn.rest(limit)
	conn.in.pos = len(conn.in.buf.b)
	return conn.in.buf.b[begin:], err
}

// readChunks reads a body in chunks, which are moved together where they lie. One alone, as many servers send it, stays.
func (conn *h1conn) readChunks(limit int64) ([]byte, error) {
	room := maxHeaderBytes
	begin, end := 0, 0
	for {
		line, err := conn.line(&room)
		if err != nil {
			return nil, unexpected(err)
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 31)
		if err != nil {
			return nil, fmt.Errorf("malformed chunk size %.80q", line)
		}
		if size == 0 {
			return conn.in.buf.b[begin:end], conn.skipTrailer(&room)
		}
		if int64(end-begin)+int64(size) > limit {
			return nil, errTooLarge
		}
		if end == begin {
			begin, end = conn.in.pos, conn.in.pos
		}
		if end, err = conn.take(end, int(size)); err != nil {
			return nil, unexpected(err)
		}
		// The sizes of large bodies' chunks are no header: only those of many tiny chunks use up the room.
		room = min(maxHeaderBytes, room+int(size))
		if line, err = conn.line(&room); err != nil {
			return nil, unexpected(err)
		}
		if len(line) != 0 {
			return nil, errors.New("malformed end of chunk")
		}
	}
}

func (conn *h1conn) skipTrailer(room *int) error {
	for {
		line, err := conn.line(room)
		if err != nil {
			return unexpected(err)
		}
		if len(line) == 0 {
			return nil
		}
	}
}
