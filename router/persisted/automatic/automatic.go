// Package automatic stores the documents of automatic persisted queries (APQ): clients send the SHA-256 of a document, and its
// text only if the router does not know it
// (https://www.apollographql.com/docs/graphos/routing/operations/apq). In come texts and hashes, out come texts.
//
// A store is a cache: it may forget anything at any time, and clients send the text again. It never gives a text whose hash is
// another one, so it can't be poisoned. It is no safelist: whoever can send a request can put a document in.
package automatic

import "context"

// Store keeps documents by their hash, lower-case hexadecimal SHA-256. It is safe for concurrent use.
type Store interface {
	// Get returns the text with a hash; false if it is not there, or if the store can't say quickly.
	Get(ctx context.Context, hash string) (text string, ok bool)
	// Put keeps a text, whose hash the caller has checked, for some time.
	Put(ctx context.Context, hash, text string)
}
