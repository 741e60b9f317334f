package policytest

import (
	"math/rand/v2"

	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Observer is a set of policies that observes spans.
type Observer interface {
	Words() int
	Observe(bits []uint64, v *rule.SpanView)
	ResourceBits(resource []byte, bits []uint64)
}

// Ways are other ways than EachInTurn to show a trace to a set. The decision must not depend on them.
var Ways = []func(Observer, []rule.SpanView) []uint64{
	backwards, shuffled, shuffled, shuffled, showTwice, resourcesApart, resourcesLast,
}

// EachInTurn shows the spans in their order and returns the bits of the trace.
func EachInTurn(set Observer, views []rule.SpanView) []uint64 {
	bits := make([]uint64, set.Words())
	for _, v := range views {
		set.Observe(bits, &v)
	}
	return bits
}

func backwards(set Observer, views []rule.SpanView) []uint64 {
	bits := make([]uint64, set.Words())
	for i := range views {
		set.Observe(bits, &views[len(views)-1-i])
	}
	return bits
}

func shuffled(set Observer, views []rule.SpanView) []uint64 {
	bits := make([]uint64, set.Words())
	for _, i := range rand.Perm(len(views)) {
		set.Observe(bits, &views[i])
	}
	return bits
}

// showTwice shows every span twice, as a sender does that retries.
func showTwice(set Observer, views []rule.SpanView) []uint64 {
	bits := EachInTurn(set, views)
	for _, v := range views {
		set.Observe(bits, &v)
	}
	return bits
}

// resourcesApart computes a resource's bits without the bits of the trace, as a cache does.
func resourcesApart(set Observer, views []rule.SpanView) []uint64 {
	bits := make([]uint64, set.Words())
	for _, v := range views {
		resource := make([]uint64, set.Words())
		set.ResourceBits(v.Resource, resource)
		for i, w := range resource {
			bits[i] |= w
		}
		v.ResourceKnown = true
		set.Observe(bits, &v)
	}
	return bits
}

func resourcesLast(set Observer, views []rule.SpanView) []uint64 {
	bits := make([]uint64, set.Words())
	for _, v := range views {
		v.ResourceKnown = true
		set.Observe(bits, &v)
	}
	for _, v := range views {
		set.ResourceBits(v.Resource, bits)
	}
	return bits
}
