// Package fault breaks the program on purpose, at named points, so that what it promises about failures can be
// tested. All points are off unless Configure, or the environment variable AGORA_FAULTS, switches them on:
//
//	AGORA_FAULTS="orders.reserved=kill; payments.capture=error@0.2; inventory.commit=delay:50ms" AGORA_FAULT_SEED=7
//
// kill ends the process at once, as kill -9 would; error makes Point return ErrInjected; delay waits. A number
// behind @ is the probability, 1 if absent.
package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrInjected is what Point returns where it is told to fail.
var ErrInjected = errors.New("injected fault")

type rule struct {
	action      string
	delay       time.Duration
	probability float64
}

type rules struct {
	byPoint map[string]rule

	mu     sync.Mutex
	random *rand.Rand
}

var active atomic.Pointer[rules]

func init() {
	spec := os.Getenv("AGORA_FAULTS")
	if spec == "" {
		return
	}
	seed, _ := strconv.ParseUint(os.Getenv("AGORA_FAULT_SEED"), 10, 64)
	if err := Configure(spec, seed); err != nil {
		fmt.Fprintln(os.Stderr, "AGORA_FAULTS:", err)
		os.Exit(1)
	}
}

// Point is a place where the program can be broken. It costs one atomic load while all faults are off.
func Point(name string) error {
	r := active.Load()
	if r == nil {
		return nil
	}
	return r.hit(name)
}

func (r *rules) hit(name string) error {
	rule, ok := r.byPoint[name]
	if !ok {
		return nil
	}
	r.mu.Lock()
	hit := r.random.Float64() < rule.probability
	r.mu.Unlock()
	if !hit {
		return nil
	}
	switch rule.action {
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	case "delay":
		time.Sleep(rule.delay)
		return nil
	}
	return fmt.Errorf("%s: %w", name, ErrInjected)
}

// Configure switches faults on, as AGORA_FAULTS would; an empty spec switches all of them off.
func Configure(spec string, seed uint64) error {
	r := &rules{byPoint: map[string]rule{}, random: rand.New(rand.NewPCG(seed, seed))}
	for part := range strings.SplitSeq(spec, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, rule, err := parse(part)
		if err != nil {
			return err
		}
		r.byPoint[name] = rule
	}
	if len(r.byPoint) == 0 {
		r = nil
	}
	active.Store(r)
	return nil
}

func parse(part string) (string, rule, error) {
	name, what, ok := strings.Cut(part, "=")
	what, probability, limited := strings.Cut(what, "@")
	r := rule{probability: 1}
	var err error
	if limited {
		if r.probability, err = strconv.ParseFloat(probability, 64); err != nil {
			return "", rule{}, fmt.Errorf("%q: probability: %w", part, err)
		}
	}
	action, delay, _ := strings.Cut(what, ":")
	r.action = action
	switch action {
	case "kill", "error":
	case "delay":
		if r.delay, err = time.ParseDuration(delay); err != nil {
			return "", rule{}, fmt.Errorf("%q: %w", part, err)
		}
	default:
		ok = false
	}
	if !ok {
		return "", rule{}, fmt.Errorf("%q: want POINT=kill, POINT=error or POINT=delay:DURATION, with @PROBABILITY behind it if it is less than 1", part)
	}
	return name, r, nil
}
