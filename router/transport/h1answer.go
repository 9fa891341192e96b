package transport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync/atomic"
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

// readAnswer reads a whole answer. Of its headers it keeps those that the configuration names. sizes holds the
// size of the last answer that didn't announce its own: the next one is probably alike.
func (conn *h1conn) readAnswer(cfg *HTTPConfig, sizes *atomic.Int64) (*Response, error) {
	head := &conn.head
	if err := conn.readHead(cfg); err != nil {
		return nil, err
	}
	conn.spent = head.last
	limit := int64(cfg.MaxResponseBytes)
	size := head.length
	if size < 0 {
		size = sizes.Load()
	}
	buf := getBuffer(int(min(size, limit)))
	err := conn.readBody(buf, head, limit)
	if err == nil && head.gzip {
		var unzipped *buffer
		unzipped, err = unzip(buf, limit)
		putBuffer(buf)
		buf = unzipped
	}
	if err != nil {
		if buf != nil {
			putBuffer(buf)
		}
		return nil, err
	}
	if head.length < 0 {
		sizes.Store(int64(buf.Len()))
	}
	// Bytes behind the answer belong to nothing: the connection is out of step.
	conn.spent = conn.spent || conn.in.Buffered() > 0
	return &Response{Status: head.status, Header: head.header, Body: buf.Bytes(), Free: buf.free}, nil
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

// line reads a line without its end. It is valid until the next read.
func (conn *h1conn) line(room *int) ([]byte, error) {
	line, err := conn.in.ReadSlice('\n')
	conn.begun = conn.begun || len(line) > 0
	if *room -= len(line); *room < 0 || errors.Is(err, bufio.ErrBufferFull) {
		return nil, errors.New("the header of the answer is too large")
	}
	if err != nil {
		return nil, err
	}
	line = line[:len(line)-1]
	return bytes.TrimSuffix(line, []byte("\r")), nil
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

// readBody reads the body, framed as RFC 9112 section 6.3 says.
func (conn *h1conn) readBody(buf *buffer, head *h1head, limit int64) error {
	switch {
	case head.status == http.StatusNoContent || head.status == http.StatusNotModified:
		return nil
	case head.chunked:
		// A length beside it is a sign of smuggling: the answer is taken, the connection is not trusted further.
		conn.spent = conn.spent || head.length >= 0
		return conn.readChunks(buf, limit)
	case head.length > limit:
		return errTooLarge
	case head.length >= 0:
		body := buf.AvailableBuffer()[:head.length]
		n, err := io.ReadFull(conn.in, body)
		buf.Write(body[:n])
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	// Neither length nor chunks: the body ends with the connection.
	conn.spent = true
	if _, err := buf.ReadFrom(io.LimitReader(conn.in, limit+1)); err != nil {
		return err
	}
	if int64(buf.Len()) > limit {
		return errTooLarge
	}
	return nil
}

func (conn *h1conn) readChunks(buf *buffer, limit int64) error {
	room := maxHeaderBytes
	for {
		line, err := conn.line(&room)
		if err != nil {
			return unexpected(err)
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 31)
		if err != nil {
			return fmt.Errorf("malformed chunk size %.80q", line)
		}
		if size == 0 {
			return conn.skipTrailer(&room)
		}
		if int64(buf.Len())+int64(size) > limit {
			return errTooLarge
		}
		if err := conn.readChunk(buf, int(size)); err != nil {
			return unexpected(err)
		}
		// The sizes of large bodies' chunks are no header: only those of many tiny chunks use up the room.
		room = min(maxHeaderBytes, room+int(size))
		if line, err = conn.line(&room); err != nil {
			return unexpected(err)
		}
		if len(line) != 0 {
			return errors.New("malformed end of chunk")
		}
	}
}

// readChunk reads a part of known size. Room is made as bytes come, not as they are announced.
func (conn *h1conn) readChunk(buf *buffer, size int) error {
	for size > 0 {
		n := min(size, 64<<10)
		buf.Grow(n)
		part := buf.AvailableBuffer()[:n]
		n, err := io.ReadFull(conn.in, part)
		buf.Write(part[:n])
		if err != nil {
			return err
		}
		size -= n
	}
	return nil
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
