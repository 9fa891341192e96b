package transport

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
)

// openMultipart reads the events of multipart/mixed;subscriptionSpec=1.0: parts that hold a payload, or {} to keep
// the connection alive, or errors that end the subscription.
func openMultipart(r *response, boundary string) (Stream, error) {
	if boundary == "" {
		boundary = "-"
	}
	return &multipartStream{response: r, in: bufio.NewReaderSize(r.body, 16<<10), boundary: "--" + boundary}, nil
}

type multipartStream struct {
	*response
	in       *bufio.Reader
	boundary string
	part     []byte
	ended    bool
}

// Next returns the next payload.
func (m *multipartStream) Next(ctx context.Context) ([]byte, error) {
	defer m.until(ctx)()
	for !m.ended {
		err := m.nextPart()
		switch {
		case err == io.EOF:
			m.ended = true
			continue
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, &Error{Code: CodeHTTP, Message: "broke off the subscription", Err: err}
		case err != nil:
			return nil, err
		}
		var part struct {
			Payload json.RawMessage `json:"payload"`
			Errors  json.RawMessage `json:"errors"`
		}
		if err := json.Unmarshal(m.part, &part); err != nil {
			return nil, &Error{Code: CodeMalformed, Message: "sent an event that is no JSON", Err: err}
		}
		switch {
		case len(part.Errors) > 0 && string(part.Errors) != "null":
			m.ended = true
			return append(append([]byte(`{"errors":`), part.Errors...), '}'), nil
		case len(part.Payload) > 0 && string(part.Payload) != "null":
			return part.Payload, nil
		}
	}
	return nil, io.EOF
}

// nextPart reads the JSON object of the next part. The part ends with its object: the boundary behind it may
// come only with the next event. It returns io.EOF at the closing boundary.
func (m *multipartStream) nextPart() error {
	if err := m.toBoundary(); err != nil {
		return err
	}
	for {
		line, err := m.in.ReadSlice('\n')
		if err != nil {
			return unexpected(err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return m.readObject()
		}
	}
}

func (m *multipartStream) toBoundary() error {
	for {
		line, err := m.in.ReadSlice('\n')
		line = bytes.TrimSpace(line)
		if string(line) == m.boundary+"--" {
			return io.EOF
		}
		if err != nil {
			return unexpected(err)
		}
		if string(line) == m.boundary {
			return nil
		}
	}
}

// readObject reads one JSON object to its closing brace.
func (m *multipartStream) readObject() error {
	m.part = m.part[:0]
	depth, quoted := 0, false
	for {
		c, err := m.in.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		if len(m.part) >= m.limit {
			return errEventTooLarge
		}
		m.part = append(m.part, c)
		switch {
		case quoted && c == '\\':
			if c, err = m.in.ReadByte(); err != nil {
				return unexpected(err)
			}
			m.part = append(m.part, c)
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return nil
			}
		case depth == 0 && c > ' ':
			return &Error{Code: CodeMalformed, Message: "sent an event that is no JSON object"}
		}
	}
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
