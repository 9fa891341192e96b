// Package overload keeps a router that gets more than it can do from doing all of it badly: it bounds the operations that
// run at a time by what has been fast of late, lets those above the bound wait for a moment, and refuses the least important ones
// first, so that a checkout goes on while searches are told to come again.
//
// In goes an operation's name, kind and client; out comes a place, or nothing. The bound adapts by the times that
// operations take (failsafe-go's adaptive limiter, after TCP Vegas and Netflix's concurrency-limits). Subscriptions need a place only to begin.
package overload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/priority"
)

// Config says how much may run at a time. The zero value bounds nothing.
type Config struct {
	// Enabled turns the bound on.
	Enabled bool
	// Min and Max are the limits of the bound. Zero means 10 and 2000.
	Min int `min:"0" max:"1000000"`
	// Max is the largest bound.
	Max int `min:"0" max:"1000000"`
	// MaxWait is how long an operation may wait for its place. Zero means 1 s.
	MaxWait time.Duration `min:"0s" max:"1m"`
	// Priorities are rules by which operations are more or less important than others; the first one that fits counts. An
	// operation that none fits is medium.
	Priorities []Priority
}

// Priority is a rule. What it leaves out fits any operation.
type Priority struct {
	// Operations are names of operations, with * for any characters, such as Checkout*.
	Operations []string
	// Kinds are kinds of operations.
	Kinds []string `enum:"query,mutation,subscription"`
	// Clients are names of clients, as their API keys prove them.
	Clients []string
	// Level is how important these operations are.
	Level string `required:"true" enum:"very_low,low,medium,high,very_high"`
}

var levels = map[string]priority.Priority{
	"very_low": priority.VeryLow, "low": priority.Low, "medium": priority.Medium, "high": priority.High, "very_high": priority.VeryHigh,
}

// Validate says everything in c that can't work.
func (c Config) Validate() error {
	var errs []error
	if low, high := c.bounds(); low > high {
		errs = append(errs, fmt.Errorf("overload: min %d is above max %d", low, high))
	}
	for i, p := range c.Priorities {
		if _, ok := levels[p.Level]; !ok {
			errs = append(errs, fmt.Errorf("overload.priorities[%d]: level %q: expected very_low, low, medium, high or very_high", i, p.Level))
		}
		for _, pattern := range p.Operations {
			if _, err := path.Match(pattern, ""); err != nil {
				errs = append(errs, fmt.Errorf("overload.priorities[%d]: %q is no pattern", i, pattern))
			}
		}
	}
	return errors.Join(errs...)
}

func (c Config) bounds() (low, high int) { return cmp.Or(c.Min, 10), cmp.Or(c.Max, 2000) }

// Limiter gives places. It is safe for concurrent use.
type Limiter struct {
	cfg    Config
	places adaptivelimiter.PriorityLimiter[any]
	// free are the same places, as those take them who needn't wait; nil if the limiter has no such way.
	free        taker
	prioritizer priority.Prioritizer
	// calibrated is when the importance that is needed was last worked out, as time since made.
	calibrated atomic.Int64
	made       time.Time
}

// New makes the limiter of cfg, or says what in it can't work.
func New(cfg Config) (*Limiter, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	low, high := cfg.bounds()
	prioritizer := adaptivelimiter.NewPrioritizer()
	l := &Limiter{
		cfg: cfg, prioritizer: prioritizer, made: time.Now(),
		places: adaptivelimiter.NewBuilder[any]().
			WithLimits(uint(low), uint(high), uint(min(high, max(low, 100)))).
			BuildPrioritized(prioritizer),
	}
	l.free, _ = l.places.(taker)
	return l, nil
}

// taker gives a place if there is one, whatever the importance: which is what counts only when there is none.
type taker interface {
	TryAcquirePermit() (adaptivelimiter.Permit, bool)
}

// Operation is what decides how important a request is.
type Operation struct{ Name, Kind, Client string }

// ErrOverloaded says that there is no place, and will be none for a moment.
var ErrOverloaded = errors.New("overloaded")

// Place is that of an operation that runs. The zero value is that of one that needs none.
type Place struct{ permit adaptivelimiter.Permit }

// Leave gives the place back. fit says whether the time that the operation took tells how loaded the router is: not if its
// client has gone.
func (p Place) Leave(fit bool) {
	switch {
	case p.permit == nil:
	case fit:
		p.permit.Record()
	default:
		p.permit.Drop()
	}
}

// Enter waits for a place, or returns ErrOverloaded, or the error of ctx.
func (l *Limiter) Enter(ctx context.Context, op Operation) (Place, error) {
	l.calibrate()
	if l.free != nil {
		if permit, ok := l.free.TryAcquirePermit(); ok {
			return Place{permit}, nil
		}
	}
	permit, err := l.places.AcquirePermitWithMaxWait(l.level(op).AddTo(ctx), cmp.Or(l.cfg.MaxWait, time.Second))
	switch {
	case err == nil:
		return Place{permit}, nil
	case ctx.Err() != nil:
		return Place{}, context.Cause(ctx)
	}
	return Place{}, ErrOverloaded
}

// Busy says whether operations are refused: a router that is should get no more of them.
func (l *Limiter) Busy() bool { return l.prioritizer.RejectionRate() > 0 }

// level is how important an operation is.
func (l *Limiter) level(op Operation) priority.Priority {
	for i := range l.cfg.Priorities {
		if p := &l.cfg.Priorities[i]; p.fits(op) {
			return levels[p.Level]
		}
	}
	return priority.Medium
}

func (p *Priority) fits(op Operation) bool {
	named := func(pattern string) bool {
		ok, err := path.Match(pattern, op.Name)
		return ok && err == nil
	}
	return (len(p.Operations) == 0 || slices.ContainsFunc(p.Operations, named)) &&
		(len(p.Kinds) == 0 || slices.Contains(p.Kinds, op.Kind)) &&
		(len(p.Clients) == 0 || slices.Contains(p.Clients, op.Client))
}

// pace is how often the importance that is needed is worked out.
const pace = 10 * time.Millisecond

// calibrate works out anew how important an operation must be, from time to time: a goroutine for it would have to be
// ended by somebody.
func (l *Limiter) calibrate() {
	now := int64(time.Since(l.made))
	last := l.calibrated.Load()
	if now-last > int64(pace) && l.calibrated.CompareAndSwap(last, now) {
		l.prioritizer.Calibrate()
	}
}
