// Package rawjson writes JSON to bytes and walks JSON in bytes, without decoding it.
//
// What walks takes JSON that Valid has accepted; on any other it may return nonsense, but never panics.
package rawjson
