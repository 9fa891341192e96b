// Package store keeps manifests of persisted documents where routers and `router persist` reach them: files and folders,
// URLs, and Redis. In comes the version that the caller has, out come the documents as they are now, or nothing if they are
// still the same.
package store

import (
	"context"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

// Source is where documents are read. It is safe for use by one goroutine at a time.
type Source interface {
	// Load returns the documents and their version. If the version is that of the caller, the documents are nil, and it
	// was cheap to find out. An empty version is nobody's.
	Load(ctx context.Context, since string) (documents []manifest.Document, version string, err error)
	// String names the source in logs; it holds no secrets.
	String() string
}

// Store is a source that can be changed.
type Store interface {
	Source
	// Update replaces the documents by what change makes of them. Concurrent updates happen one after the other, none is
	// lost; change may be called again for that. Its error is returned, and nothing has changed then.
	Update(ctx context.Context, change func([]manifest.Document) ([]manifest.Document, error)) error
}
