// Package rawjson writes, and reads, JSON as bytes.
package rawjson
