package transport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// openSSE reads the events of graphql-sse: "next" with a response, then "complete".
func openSSE(r *response, _ string) (Stream, error) {
	return &sseStream{response: r, in: bufio.NewReaderSize(r.body, 16<<10)}, nil
}

type sseStream struct {
	*response
	in   *bufio.Reader
	data []byte
}

// Next returns the next response. Comments and other events, which keep the connection alive, are skipped.
func (s *sseStream) Next(ctx context.Context) ([]byte, error) {
	defer s.until(ctx)()
	name := ""
	s.data = s.data[:0]
	for {
		line, err := s.line()
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, io.EOF):
			return nil, &Error{Code: CodeHTTP, Message: "broke off the subscription", Err: io.ErrUnexpectedEOF}
		case err != nil:
			return nil, err
		case len(line) > 0:
			field, value, _ := bytes.Cut(line, []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(field) {
			case "event":
				name = string(value)
			case "data":
				if len(s.data) > 0 {
					s.data = append(s.data, '\n')
				}
				s.data = append(s.data, value...)
			}
			continue
		case name == "complete":
			return nil, io.EOF
		case (name == "next" || name == "" || name == "message") && len(s.data) > 0:
			return s.data, nil
		}
		name, s.data = "", s.data[:0]
	}
}

// line reads a line of at most the limit, without its end.
func (s *sseStream) line() ([]byte, error) {
	var long []byte
	for {
		part, err := s.in.ReadSlice('\n')
		if len(long)+len(part)+len(s.data) > s.limit {
			return nil, errEventTooLarge
		}
		if err == nil && long == nil {
			return bytes.TrimRight(part, "\r\n"), nil
		}
		long = append(long, part...)
		if err == nil {
			return bytes.TrimRight(long, "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

var errEventTooLarge = &Error{Code: CodeTooLarge, Message: "sent an event that is larger than the router accepts"}
