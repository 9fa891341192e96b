package execute

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

// widePlan is the wide and deep operation that public gateway benchmarks use: users to reviews to products to
// their reviews, authors and products again, in seven fetches.
const widePlan = `
supergraph accounts products reviews inventory: User Product Review
fetch accounts {users{__typename id username name}}
fetch products {top{__typename upc name price weight}}
fetch reviews after 0,1
entities
represent User as User
at users {id*} {reviews{id body product{__typename upc reviews{id body author{__typename id reviews{id body product{__typename upc}}}}}}}
entities
represent Product as Product
at top {upc*} {reviews{id body author{__typename id reviews{id body product{__typename upc}}}}}
fetch products after 2
entities
represent Product as Product
at users.reviews.product {upc*} {name price weight}
at users.reviews.product.reviews.author.reviews.product {upc*} {name price weight}
at top.reviews.author.reviews.product {upc*} {name price weight}
fetch accounts after 2
entities
represent User as User
at users.reviews.product.reviews.author {id*} {username name}
at top.reviews.author {id*} {username name}
fetch inventory after 1
entities
represent Product as Product
at top {upc* price weight} {inStock shippingEstimate}
fetch inventory after 3
entities
represent Product as Product
at users.reviews.product {upc* price weight} {inStock shippingEstimate}
at users.reviews.product.reviews.author.reviews.product {upc* price weight} {inStock shippingEstimate}
at top.reviews.author.reviews.product {upc* price weight} {inStock shippingEstimate}
output {users:[<User>{id:ID! username:String name:String reviews:[<Review>{id:ID! body:String product:<Product>{upc:String! name:String price:Int weight:Int inStock:Boolean shippingEstimate:Int reviews:[<Review>{id:ID! body:String author:<User>{id:ID! username:String name:String reviews:[<Review>{id:ID! body:String product:<Product>{upc:String! name:String price:Int weight:Int inStock:Boolean shippingEstimate:Int}}]}}]}}]}] top:[<Product>{upc:String! name:String price:Int weight:Int inStock:Boolean shippingEstimate:Int reviews:[<Review>{id:ID! body:String author:<User>{id:ID! username:String name:String reviews:[<Review>{id:ID! body:String product:<Product>{upc:String! name:String price:Int weight:Int inStock:Boolean shippingEstimate:Int}}]}}]}]}
`

// shop answers all fetches of widePlan from a small world: each user has written three reviews, each product
// has four. Every text in it starts with mark.
type shop struct {
	mark     string
	users    int
	products int
}

func (s *shop) user(id string) string {
	return fmt.Sprintf(`"username":"%suser%s","name":"%sUser Number %s"`, s.mark, id, s.mark, id)
}

func (s *shop) product(upc string) string {
	return fmt.Sprintf(`"name":"%sProduct %s","price":%d,"weight":%d`, s.mark, upc, 100+len(upc), 5*len(upc))
}

func (s *shop) review(n int, rest string) string {
	return fmt.Sprintf(`{"id":"%d","body":"%sReview %d: it is what it says, neither more nor less"%s}`, n, s.mark, n, rest)
}

func numbered(id string) (n int) {
	_, _ = fmt.Sscanf(id, "%d", &n)
	return n
}

func (s *shop) writtenBy(user int, deep bool) string {
	var list []string
	for i := range 3 {
		p := (user*5 + i*7) % s.products
		more := ""
		if deep {
			more = `,"reviews":` + s.about(p)
		}
		list = append(list, s.review(user*10+i, fmt.Sprintf(`,"product":{"__typename":"Product","upc":"%d"%s}`, p, more)))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (s *shop) about(product int) string {
	var list []string
	for i := range 4 {
		u := (product*3 + i) % s.users
		list = append(list, s.review(1000+product*10+i,
			fmt.Sprintf(`,"author":{"__typename":"User","id":"%d","reviews":%s}`, u, s.writtenBy(u, false))))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (s *shop) roots(n int, item func(id string) string) string {
	var list []string
	for i := range n {
		list = append(list, item(fmt.Sprint(i)))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// Send answers a fetch of widePlan.
func (s *shop) Send(_ context.Context, req *transport.Request) (*transport.Response, error) {
	var vars map[string][]struct{ ID, UPC string }
	if err := json.Unmarshal(req.Variables, &vars); err != nil {
		return nil, err
	}
	entities := func(key string, item func(id string) string) string {
		var list []string
		for _, r := range vars[strings.Replace(key, "e", "r", 1)] {
			list = append(list, "{"+item(r.ID+r.UPC)+"}")
		}
		return `"` + key + `":[` + strings.Join(list, ",") + "]"
	}
	data := ""
	switch req.Query {
	case "f0":
		data = `"users":` + s.roots(s.users, func(id string) string {
			return fmt.Sprintf(`{"__typename":"User","id":"%s",%s}`, id, s.user(id))
		})
	case "f1":
		data = `"top":` + s.roots(s.products/2, func(id string) string {
			return fmt.Sprintf(`{"__typename":"Product","upc":"%s",%s}`, id, s.product(id))
		})
	case "f2":
		data = entities("e0", func(id string) string { return `"reviews":` + s.writtenBy(numbered(id), true) }) + "," +
			entities("e1", func(id string) string { return `"reviews":` + s.about(numbered(id)) })
	case "f3":
		data = entities("e0", s.product)
	case "f4":
		data = entities("e0", s.user)
	case "f5", "f6":
		data = entities("e0", func(id string) string {
			return fmt.Sprintf(`"inStock":%t,"shippingEstimate":%d`, len(id)%2 == 0, len(id)*3)
		})
	}
	return &transport.Response{Status: 200, Body: []byte(`{"data":{` + data + `}}`)}, nil
}

// Subscribe is never called.
func (s *shop) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	panic("no subscription here")
}

// replay gives the answers of another transport again, for benchmarks.
type replay struct {
	mu      sync.Mutex
	from    transport.Transport
	answers map[string]*transport.Response
	bytes   int
}

// Send answers a fetch.
func (r *replay) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := r.answers[req.Query]
	if answer == nil {
		var err error
		if answer, err = r.from.Send(ctx, req); err != nil {
			return nil, err
		}
		r.answers[req.Query] = answer
		r.bytes += len(answer.Body)
	}
	// The executor releases each answer, which leaves it without a body.
	own := pooledAnswers.Get().(*transport.Response)
	*own = transport.Response{Status: 200, Body: answer.Body}
	return own, nil
}

var pooledAnswers = sync.Pool{New: func() any { return new(transport.Response) }}

// Start answers a fetch as transports over HTTP/1.1 do, without another goroutine.
func (r *replay) Start(ctx context.Context, req *transport.Request) transport.Pending {
	answer, err := r.Send(ctx, req)
	if err != nil {
		return nil
	}
	return (*replayed)(answer)
}

// replayed is an answer on its way.
type replayed transport.Response

// Receive returns the answer.
func (r *replayed) Receive(context.Context) (*transport.Response, error) {
	return (*transport.Response)(r), nil
}

// Subscribe is never called.
func (r *replay) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	panic("no subscription here")
}

func wide(t testing.TB, tr transport.Transport) (*Executor, *plan.Plan) {
	t.Helper()
	return New(Config{Transports: []transport.Transport{tr, tr, tr, tr}}), parsePlan(t, widePlan)
}

func BenchmarkExecuteWide(b *testing.B) {
	stub := &replay{from: &shop{users: 8, products: 12}, answers: map[string]*transport.Response{}}
	x, p := wide(b, stub)
	req := &Request{}
	resp := x.Execute(b.Context(), p, req)
	if resp.Errors > 0 {
		b.Fatalf("errors: %s", resp.Body)
	}
	written := len(resp.Body)
	resp.Release()
	measure(b, func() { x.Execute(b.Context(), p, req).Release() })
	b.ReportMetric(float64(stub.bytes), "B-in")
	b.ReportMetric(float64(written), "B-out")
}

func BenchmarkExecuteSmall(b *testing.B) {
	stub := &replay{from: &shop{users: 1, products: 1}, answers: map[string]*transport.Response{}}
	p := parsePlan(b, `
supergraph accounts: User
fetch accounts {users{__typename id username name}}
output {users:[<User>{id:ID! username:String name:String}]}`)
	x := New(Config{Transports: []transport.Transport{stub}})
	req := &Request{}
	measure(b, func() { x.Execute(b.Context(), p, req).Release() })
}

// measure runs a benchmark and reports the CPU time of an operation besides its duration, and the least that one has
// taken: on a machine that is busy otherwise, those are the figures to compare.
func measure(b *testing.B, op func()) {
	var before, after syscall.Rusage
	b.ReportAllocs()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	least := time.Duration(math.MaxInt64)
	for b.Loop() {
		began := time.Now()
		op()
		least = min(least, time.Since(began))
	}
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(least), "least-ns/op")
}

// BenchmarkDecodeWide is what decoding the same answers into maps costs: the yardstick for BenchmarkExecuteWide
// on any machine.
func BenchmarkDecodeWide(b *testing.B) {
	stub := &replay{from: &shop{users: 8, products: 12}, answers: map[string]*transport.Response{}}
	x, p := wide(b, stub)
	x.Execute(b.Context(), p, &Request{}).Release()
	measure(b, func() {
		for _, answer := range stub.answers {
			var v map[string]any
			if err := json.Unmarshal(answer.Body, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestAllocationsDoNotGrowWithTheAnswer(t *testing.T) {
	var allocations [2]float64
	var bytes [2]int
	for i, size := range []int{2, 40} {
		stub := &replay{from: &shop{users: size, products: size}, answers: map[string]*transport.Response{}}
		x, p := wide(t, stub)
		resp := x.Execute(t.Context(), p, &Request{})
		bytes[i] = len(resp.Body)
		resp.Release()
		allocations[i] = testing.AllocsPerRun(30, func() { x.Execute(t.Context(), p, &Request{}).Release() })
	}
	if bytes[1] < 10*bytes[0] {
		t.Fatalf("responses of %d bytes: too much alike", bytes)
	}
	// Pools may lose something to the collector; values are counted in thousands.
	if allocations[1] > allocations[0]+60 {
		t.Errorf("%v allocations for %v bytes", allocations, bytes)
	}
}

// BenchmarkExecuteGrowing shows the cost as the answer grows: it should be linear.
func BenchmarkExecuteGrowing(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			stub := &replay{from: &shop{users: 1, products: 2 * n}, answers: map[string]*transport.Response{}}
			p := parsePlan(b, `
supergraph products inventory: Product
fetch products {top{__typename upc name price weight}}
fetch inventory after 0
entities
represent Product as Product
at top {upc* price weight} {inStock shippingEstimate}
output {top:[<Product>{upc:String! name:String price:Int weight:Int inStock:Boolean shippingEstimate:Int}]}`)
			p.Fetches[0].Query, p.Fetches[1].Query = "f1", "f5"
			x := New(Config{Transports: []transport.Transport{stub, stub}})
			x.Execute(b.Context(), p, &Request{}).Release()
			measure(b, func() { x.Execute(b.Context(), p, &Request{}).Release() })
		})
	}
}
