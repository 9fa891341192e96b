package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"github.com/agora-supergraph/agora/internal/cache"
)

// cacheSettings say where lookups of products and of availability are cached.
type cacheSettings struct {
	// Redis is the URL of the Redis of all processes of the installation: redis://user:password@host:6379/0, rediss:// with
	// TLS, redis+cluster:// or rediss+cluster:// for a cluster, of which more nodes are named by ?addr=host:port&addr=….
	// Empty means that nothing is cached, but by agora dev with a data folder, which caches in memory.
	Redis string
	// CA are the certificates, in PEM, that Redis's is signed by: ${file.ca.pem}. Empty means those of the system.
	CA string
	// Prefix begins keys and channels. Empty means the name of the installation.
	Prefix string
	// Timeout bounds a command; from one that takes longer on, the databases answer, until Redis does in time. Zero means
	// 50 ms.
	Timeout time.Duration `min:"0s" max:"1s"`
	// Entries is how many entries each service keeps in its process. Zero means 10,000.
	Entries int `min:"0" max:"10000000"`
}

// cache is the configuration of the services' caches.
func (cfg settings) cache() (cache.Config, error) {
	c := cfg.Cache
	prefix := c.Prefix
	if prefix == "" {
		prefix = cfg.Installation
	}
	config := cache.Config{
		Alone: cfg.alone, Entries: c.Entries,
		Redis: cache.Redis{URL: c.Redis, Prefix: prefix, Timeout: c.Timeout},
	}
	if c.CA != "" {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(c.CA)) {
			return config, errors.New("cache.ca: expected certificates in PEM")
		}
		config.Redis.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return config, nil
}
