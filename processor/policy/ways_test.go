package policy

import "math/rand/v2"

// ways are other ways to show a trace to a Set. What it decides must not depend on them.
var ways = []func(*Set, []SpanView) []uint64{
	backwards, shuffled, shuffled, shuffled, twice, resourcesApart, resourcesLast,
}

func eachInTurn(set *Set, views []SpanView) []uint64 {
	bits := make([]uint64, set.Words())
	for _, v := range views {
		set.Observe(bits, &v)
	}
	return bits
}

func backwards(set *Set, views []SpanView) []uint64 {
	bits := make([]uint64, set.Words())
	for i := range views {
		set.Observe(bits, &views[len(views)-1-i])
	}
	return bits
}

func shuffled(set *Set, views []SpanView) []uint64 {
	bits := make([]uint64, set.Words())
	for _, i := range rand.Perm(len(views)) {
		set.Observe(bits, &views[i])
	}
	return bits
}

// twice shows every span again, as a sender does that retries.
func twice(set *Set, views []SpanView) []uint64 {
	bits := eachInTurn(set, views)
	for _, v := range views {
		set.Observe(bits, &v)
	}
	return bits
}

// resourcesApart finds a resource's bits by themselves and without what is known of the trace, as a cache does.
func resourcesApart(set *Set, views []SpanView) []uint64 {
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

func resourcesLast(set *Set, views []SpanView) []uint64 {
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
