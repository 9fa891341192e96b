package responsecache

import (
	"bytes"
	"context"
)

// refresh fetches parts anew whose time is over, while what there was is given once more. One does it at a time.
func (a *ask) refresh(ctx context.Context, stale []int) {
	claimed, _ := a.cache.flights.claim(a.keys(stale))
	if len(claimed) == 0 {
		return
	}
	own := at(stale, claimed)
	keys := a.keys(own)
	again := a.again(own)
	started := a.cache.refreshed(ctx, func(ctx context.Context) {
		defer a.cache.flights.end(keys)
		again.born = a.cache.store.get(ctx, nil, nil).clock
		all := make([]int, len(again.parts))
		for i := range all {
			all[i] = i
		}
		if resp, err := again.fetch(ctx, all); err == nil {
			resp.Release()
		}
	})
	if !started {
		a.cache.flights.end(keys)
	}
}

// again is a query for some of the parts that outlives the request. Nobody counts it.
func (a *ask) again(parts []int) *ask {
	req := a.req
	if len(parts) < len(a.parts) {
		req = a.reduced(parts)
	}
	own := *req
	own.Body = bytes.Clone(req.Body)
	end := len(own.Body) - 1
	own.Variables = own.Body[end-len(req.Variables) : end]
	again := &ask{cached: a.cached, op: a.op, session: &session{}, req: &own, born: unborn, protected: a.protected}
	for _, i := range parts {
		p := a.parts[i]
		again.parts = append(again.parts, part{
			key: p.key, list: p.list, typeName: p.typeName, representation: bytes.Clone(p.representation), hint: p.hint,
		})
	}
	return again
}
