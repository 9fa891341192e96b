package serve

import "strconv"

// replay is what is kept of a subscription's events: the newest ones, as they were written, numbered from 1. Whoever has it
// guards it.
type replay struct {
	bounds Resume
	events [][]byte
	// newest is the number of the last event, and sent that of the last one that the client has been sent.
	newest, sent uint64
	bytes        int
	// completed says that no event will follow.
	completed bool
}

// add keeps an event. Until the client has been sent it, it is kept whatever its size, unless there is no client.
func (r *replay) add(event []byte, alone bool) {
	r.events = append(r.events, event)
	r.newest++
	r.bytes += len(event)
	r.shrink(r.bounds.MaxBytes, alone)
}

// shrink drops the oldest events until there are not too many, and no more than so many bytes. What the client has yet to be
// sent stays, unless there is no client.
func (r *replay) shrink(most int, alone bool) {
	for len(r.events) > 0 && (r.bytes > most || len(r.events) > r.bounds.MaxEvents) && (alone || r.oldest() <= r.sent) {
		r.bytes -= len(r.events[0])
		r.events[0] = nil
		r.events = r.events[1:]
	}
}

// oldest is the number of the first event that is kept.
func (r *replay) oldest() uint64 { return r.newest - uint64(len(r.events)) + 1 }

// next is the event that the client has to be sent, nil for none, and how many before it are no longer kept.
func (r *replay) next() (event []byte, missed uint64) {
	if r.sent >= r.newest {
		return nil, 0
	}
	if oldest := r.oldest(); oldest > r.sent+1 {
		missed = oldest - r.sent - 1
		r.sent = oldest - 1
	}
	if r.sent == r.newest {
		return nil, missed
	}
	return r.events[uint64(len(r.events))-(r.newest-r.sent)], missed
}

// advance says that the client has been sent the next event.
func (r *replay) advance() {
	r.sent++
	r.shrink(r.bounds.MaxBytes, false)
}

func (r *replay) drop() { r.events, r.bytes = nil, 0 }

// appendEventID begins an event with its id.
func appendEventID(b []byte, id, number string) []byte {
	return append(append(append(append(append(b, "id: "...), id...), '.'), number...), '\n')
}

// appendEvent writes a response as an event.
func appendEvent(b []byte, id string, number uint64, body []byte) []byte {
	return appendNextEvent(appendEventID(b, id, strconv.FormatUint(number, 10)), body)
}

// appendNextEvent writes a response as an event without an id.
func appendNextEvent(b, body []byte) []byte {
	b = append(b, "event: next\ndata: "...)
	data := len(b)
	return append(oneLine(append(b, body...), data), "\n\n"...)
}

// appendStart tells the client which event it has seen last, before there is any: without data it is no event, and yet the
// client keeps its id. body is a response to go with that; nil for none.
func appendStart(b []byte, id string, seen uint64, body []byte) []byte {
	b = appendEventID(b, id, strconv.FormatUint(seen, 10))
	if body == nil {
		return append(b, '\n')
	}
	return appendNextEvent(b, body)
}

// appendMissed says that events are gone.
func appendMissed(b []byte, n uint64) []byte {
	events := " events have been lost: more"
	if n == 1 {
		events = " event has been lost: more"
	}
	return appendNextEvent(b, errorBody("EVENTS_LOST", strconv.FormatUint(n, 10)+events+" came while the connection was broken than is kept."))
}

// appendCompletion writes the event complete.
func appendCompletion(b []byte, id string) []byte {
	return append(appendEventID(b, id, completeNumber), "event: complete\ndata: \n\n"...)
}
