package shop

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// Fault is a failure of the shop that can be switched on.
type Fault int

// The faults.
const (
	// Errors: payment answers 40 % of its calls with an error.
	Errors Fault = iota
	// Latency: inventory takes one or two seconds longer.
	Latency
	// LostResponse: payment charges the card, and its answer to a third of the calls never arrives.
	LostResponse
	// SkewedClock: catalog's clock is three seconds ahead.
	SkewedClock
	// RetryStorm: catalog fails most calls, and cart asks up to five times without waiting.
	RetryStorm
	// BadDeploy: checkout runs a version that fails one order in four.
	BadDeploy

	faults
)

var faultNames = [faults]string{"errors", "latency", "lost-response", "skewed-clock", "retry-storm", "bad-deploy"}

var faultTexts = [faults]string{
	"payment answers 40 % of its calls with an error",
	"inventory takes one or two seconds longer",
	"payment charges the card, a third of its answers never arrive",
	"catalog's clock is three seconds ahead",
	"catalog fails most calls, cart asks up to five times",
	"checkout runs version 2.0.0, which fails one order in four",
}

// All lists the faults.
func All() []Fault {
	list := make([]Fault, faults)
	for i := range list {
		list[i] = Fault(i)
	}
	return list
}

// ParseFault returns the fault of that name.
func ParseFault(name string) (Fault, error) {
	if i := slices.Index(faultNames[:], name); i >= 0 {
		return Fault(i), nil
	}
	return 0, fmt.Errorf("there is no fault %q: it must be one of %q", name, faultNames)
}

func (f Fault) String() string { return faultNames[f] }

// Text returns the effect of the fault.
func (f Fault) Text() string { return faultTexts[f] }

// Faults holds the faults that are on. It is safe for concurrent use.
type Faults struct{ on [faults]atomic.Bool }

// Set switches a fault.
func (s *Faults) Set(f Fault, on bool) { s.on[f].Store(on) }

// On reports whether a fault is on.
func (s *Faults) On(f Fault) bool { return s.on[f].Load() }
