package serve

// parts writes Apollo's multipart protocol for subscriptions
// (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol). Each part is
// followed by the boundary of the next one at once: without it a client can't know that the part is whole.
//
// Parts of an answer come the same way, but for the payload that stands around each event of a subscription.
type parts struct {
	chunks
	payload bool
}

const (
	partHead     = "\r\ncontent-type: application/json\r\n\r\n"
	partBoundary = "\r\n--graphql"
)

func newParts(ex *exchange, payload bool) *parts {
	p := &parts{chunks{ex: ex}, payload}
	p.text(partBoundary)
	return p
}

// next wraps the response as a payload. What ended the stream from outside the operation, as a broken source
// does, is told beside an empty payload.
func (p *parts) next(resp *Response) bool {
	defer resp.Release()
	return p.send(func(b []byte) []byte {
		b = append(b, partHead...)
		if !p.payload {
			return append(append(b, resp.Body...), partBoundary...)
		}
		if resp.Outcome == Executed {
			b = append(b, `{"payload":`...)
			b = append(b, resp.Body...)
		} else {
			b = append(b, `{"payload":null,"errors":`...)
			b = append(b, errorsOf(resp.Body)...)
		}
		b = append(b, '}')
		return append(b, partBoundary...)
	})
}

func (p *parts) complete() bool { return p.text("--\r\n") }

// heartbeat is an empty object.
func (p *parts) heartbeat() bool { return p.text(partHead + "{}" + partBoundary) }
