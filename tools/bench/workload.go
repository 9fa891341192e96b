package main

import (
	"encoding/json"
	"fmt"
	"time"
)

// workload is a stream of operations.
type workload struct {
	name, title string
	// delay of every subgraph's answer.
	delay time.Duration
	// operation is the text of the request with number seq. It is the same for all if fixed is true.
	operation func(seq uint64) string
	fixed     bool
	// typical is the number of the request that stands for all in a floor.
	typical uint64
}

// wide is the operation that public benchmarks of gateways use: from users and from products, through reviews, to
// products again.
const wide = `query Wide {
  users { ...User reviews { ...Review product { ...Product reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } } } }
  topProducts { ...Product reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } }
}
fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }`

func workloads() []workload {
	return []workload{
		fixed("a", "wide and deep", 0, wide),
		fixed("b", "one small query to one subgraph", 0, `query Small { me { id username name } }`),
		{name: "c", title: "2,000 shapes of operation, no text sent twice", operation: distinct, typical: 1},
		fixed("d", "a list of 1,000 entities with two joins", 0, entityList(1000)),
		fixed("e", "wide and deep, subgraphs answer after 4 ms", 4*time.Millisecond, wide),
	}
}

func fixed(name, title string, delay time.Duration, text string) workload {
	return workload{name: name, title: title, delay: delay, operation: func(uint64) string { return text }, fixed: true}
}

// entityList asks for n products, which inventory and reviews join.
func entityList(n int) string {
	return fmt.Sprintf(`query Entities { topProducts(first: %d) { upc name price weight inStock shippingEstimate reviews { id body } } }`, n)
}

// distinct is one of 2,000 shapes, made of which of eleven parts are asked for. An alias has the number in it, so that no
// cache, however large, has seen the text, or what it normalises to. Consecutive shapes are far apart, so that what slow
// and fast programs get to is alike.
func distinct(seq uint64) string {
	shape := seq * 1237 % 2000
	part := func(bit int, text string) string {
		if shape>>bit&1 == 0 {
			return ""
		}
		return " " + text
	}
	return fmt.Sprintf(`query Distinct { users { id n%d: id%s%s%s reviews { id%s product { upc%s%s%s%s } } }%s%s%s }`, seq,
		part(0, "username"), part(1, "name"), part(2, "birthday"), part(3, "body"),
		part(4, "name"), part(5, "price"), part(6, "inStock"), part(7, "shippingEstimate"),
		part(8, "topProducts(first: 3) { upc weight }"), part(9, "topProducts(first: 3) { name }"),
		part(10, "topProducts(first: 3) { reviews { id author { username } } }"))
}

// body returns the function that appends the body of a request.
func (w workload) body() func(buf []byte, seq uint64) []byte {
	if w.fixed {
		body := requestBody(w.operation(0))
		return func(buf []byte, _ uint64) []byte { return append(buf, body...) }
	}
	return func(buf []byte, seq uint64) []byte { return append(buf, requestBody(w.operation(seq))...) }
}

func requestBody(query string) []byte {
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		panic(err) // a string is always JSON
	}
	return text
}
