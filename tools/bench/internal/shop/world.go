package shop

import (
	"fmt"
	"strconv"
	"strings"
)

// Sizes of the world. The first few users and products are a closed circle: they review, and are reviewed by, one
// another only, so that the wide operation has an answer of fixed size however many products there are besides.
const (
	circleUsers    = 6
	circleProducts = 6
	writtenEach    = 4
	// Products is how many products there are: the most that a list can have.
	Products = 10_000
)

type user struct {
	id, name, username string
	birthday           int
	reviews            []*review
}

type product struct {
	upc, name     string
	price, weight int
	inStock       bool
	reviews       []*review
}

// shippingEstimate is free for what is expensive, and else goes by weight.
func shippingEstimate(price, weight int) int {
	if price > 1000 {
		return 0
	}
	return weight / 2
}

type review struct {
	id, body string
	author   *user
	product  *product
}

// world is all data, immutable once made.
type world struct {
	users    []*user
	products []*product
	reviews  []*review
}

var bodies = []string{
	"Love it, and so does everyone who came to see it!",
	"Too expensive for what it does.",
	"Could be better. The manual is a riddle, the hinges squeak.",
	"Prefer something else: I sent it back after a week, and got another.",
}

func newWorld() *world {
	w := &world{}
	for i := range Products {
		w.products = append(w.products, &product{
			upc: strconv.Itoa(i + 1), name: "Product number " + strconv.Itoa(i+1),
			price: 100 + i*377%1900, weight: 10 + i*53%990, inStock: i%3 != 1,
		})
	}
	for i := range circleUsers + 100 {
		w.users = append(w.users, &user{
			id: strconv.Itoa(i + 1), name: fmt.Sprintf("Ada Number %d", i+1),
			username: fmt.Sprintf("ada%d", i+1), birthday: 19500101 + i*10007%500000,
		})
	}
	for i := range circleUsers * writtenEach {
		w.review(w.users[i%circleUsers], w.products[(i+i/circleUsers)%circleProducts])
	}
	for i, p := range w.products[circleProducts:] {
		w.review(w.users[circleUsers+i%100], p)
	}
	return w
}

func (w *world) review(u *user, p *product) {
	n := len(w.reviews)
	r := &review{id: strconv.Itoa(n + 1), body: bodies[n%len(bodies)], author: u, product: p}
	w.reviews = append(w.reviews, r)
	u.reviews = append(u.reviews, r)
	p.reviews = append(p.reviews, r)
}

// pick is the element of list that has the number id, counted from 1.
func pick[T any](list []*T, id string) *T {
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 || n > len(list) || strings.HasPrefix(id, "+") {
		return nil
	}
	return list[n-1]
}
