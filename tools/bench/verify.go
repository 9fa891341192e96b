package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

// verifier compares the answers of one program with those of the oracle: data must be equal whatever the order of
// keys, and there must be no errors.
type verifier struct {
	oracle *shop.Service
	body   func(buf []byte, seq uint64) []byte
	fixed  bool
	// right is an answer that was compared: an equal one needs no comparison. Only for a fixed operation.
	right atomic.Pointer[[]byte]

	mu   sync.Mutex
	want any
}

// every checks each answer.
func (v *verifier) every(seq uint64, answer []byte) error {
	if right := v.right.Load(); right != nil && bytes.Equal(*right, answer) {
		return nil
	}
	got, err := data(answer)
	if err != nil {
		return err
	}
	want, err := v.wanted(seq)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("wrong answer: %.300s", answer)
	}
	if v.fixed {
		copied := bytes.Clone(answer)
		v.right.Store(&copied)
	}
	return nil
}

// sampled checks every 64th answer whole. Of the others it checks the length where that is known, and else that they
// hold no errors.
func (v *verifier) sampled(seq uint64, answer []byte) error {
	right := v.right.Load()
	if seq%64 == 0 || right != nil && len(*right) != len(answer) {
		return v.every(seq, answer)
	}
	if right == nil && bytes.Contains(answer, []byte(`"errors"`)) {
		return fmt.Errorf("errors: %.300s", answer)
	}
	return nil
}

// wanted is the data of the right answer.
func (v *verifier) wanted(seq uint64) (any, error) {
	if !v.fixed {
		return data(v.oracle.Execute(v.body(nil, seq)))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.want == nil {
		want, err := data(v.oracle.Execute(v.body(nil, seq)))
		if err != nil {
			return nil, err
		}
		v.want = want
	}
	return v.want, nil
}

// data is the data of a response, decoded.
func data(answer []byte) (any, error) {
	var response struct {
		Data   any
		Errors []json.RawMessage
	}
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if err := decoder.Decode(&response); err != nil {
		return nil, fmt.Errorf("answer %.300q: %w", answer, err)
	}
	if len(response.Errors) > 0 {
		return nil, fmt.Errorf("errors: %.300s", answer)
	}
	if response.Data == nil {
		return nil, errors.New("no data")
	}
	return response.Data, nil
}
