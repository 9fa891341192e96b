package serve

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
)

// The messages of graphql-transport-ws
// (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).

// subprotocol is the name of the protocol in Sec-WebSocket-Protocol.
const subprotocol = "graphql-transport-ws"

// messageType is the type of a message that a client may send.
type messageType string

const (
	messageInit      messageType = "connection_init"
	messagePing      messageType = "ping"
	messagePong      messageType = "pong"
	messageSubscribe messageType = "subscribe"
	messageComplete  messageType = "complete"
)

// message is a client's message. payload aliases the bytes that it was decoded from; it is an object or nil.
type message struct {
	kind    messageType
	id      string
	payload []byte
}

// decodeMessage decodes a message and checks its form. The error is for the client, as the reason of a close
// frame.
func decodeMessage(raw []byte) (message, error) {
	var m message
	raw = bytes.Trim(raw, jsonSpace)
	if err := checkJSON(raw); err != nil {
		return m, fmt.Errorf("invalid message: %w", err)
	}
	if raw[0] != '{' {
		return m, fmt.Errorf("invalid message: %s, expected an object", kind(raw))
	}
	for fields := walk(raw); fields.next(); {
		if err := m.set(fields.name, fields.value); err != nil {
			return m, err
		}
	}
	return m, m.check()
}

func (m *message) set(name, value []byte) error {
	switch string(name) {
	case "type":
		if value[0] != '"' {
			return fmt.Errorf("invalid message: type is %s, expected a string", kind(value))
		}
		m.kind = messageType(unquote(value))
	case "id":
		if value[0] != '"' {
			return fmt.Errorf("invalid message: id is %s, expected a string", kind(value))
		}
		m.id = unquote(value)
	case "payload":
		if value[0] == 'n' {
			return nil
		}
		if value[0] != '{' {
			return fmt.Errorf("invalid message: payload is %s, expected an object", kind(value))
		}
		m.payload = value
	}
	return nil
}

func (m *message) check() error {
	switch m.kind {
	case messageInit, messagePing, messagePong:
		return nil
	case messageSubscribe:
		if m.payload == nil {
			return errors.New("invalid message: subscribe without a payload")
		}
	case messageComplete:
	case "":
		return errors.New("invalid message: the type is missing")
	default:
		return fmt.Errorf("invalid message type %q", m.kind)
	}
	if m.id == "" {
		return fmt.Errorf("invalid message: %s without an id", m.kind)
	}
	return nil
}

// addTo adds what the payload of connection_init says of the client to the handshake's headers: browsers can set none on
// a WebSocket. Names are taken in any case.
func (m *message) addTo(header http.Header, known *clients) http.Header {
	if m.payload == nil {
		return header
	}
	cloned := false
	for fields := walk(m.payload); fields.next(); {
		name := http.CanonicalHeaderKey(string(fields.name))
		if fields.value[0] != '"' || !known.fromInit(name) {
			continue
		}
		if !cloned {
			header, cloned = header.Clone(), true
		}
		header.Set(name, unquote(fields.value))
	}
	return header
}

// appendNext appends a next message with a response as its payload.
func appendNext(b []byte, id string, response []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, id)
	b = append(b, `,"type":"next","payload":`...)
	b = append(b, response...)
	return append(b, '}')
}

// appendError appends an error message: its payload is the response's errors.
func appendError(b []byte, id string, response []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, id)
	b = append(b, `,"type":"error","payload":`...)
	b = append(b, errorsOf(response)...)
	return append(b, '}')
}

// errorsOf returns the errors entry of a response.
func errorsOf(response []byte) []byte {
	for m := walk(response); m.next(); {
		if string(m.name) == "errors" {
			return m.value
		}
	}
	return []byte("[]")
}

func appendComplete(b []byte, id string) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, id)
	return append(b, `,"type":"complete"}`...)
}

// appendPong appends the answer to a ping, with the ping's payload.
func appendPong(b, payload []byte) []byte {
	b = append(b, `{"type":"pong"`...)
	if payload != nil {
		b = append(b, `,"payload":`...)
		b = append(b, payload...)
	}
	return append(b, '}')
}
