package responsecache_test

import (
	"testing"

	"github.com/agora-supergraph/agora/router/responsecache"
)

// A query for three products with their stock: two requests to subgraphs in the same process, or four look-ups.
func BenchmarkProducts(b *testing.B) {
	run := func(name string, cfg responsecache.Config) {
		b.Run(name, func(b *testing.B) {
			c := open(b, cfg).anyone()
			c.ask(stocks)
			b.ReportAllocs()
			for b.Loop() {
				c.ask(stocks)
			}
			c.shop.requests()
		})
	}
	run("off", responsecache.Config{})
	run("memory", usual())
	run("redis", onRedis(b))
}
