package rates

import "maps"

// Periods counts by key, for a period from the first count on. At most limit keys have a count of their own; all others
// share one.
type Periods struct {
	length int64
	limit  int
	keys   map[uint64]counted
	swept  int64 // time of the last sweep
}

type counted struct {
	since int64
	n     int
}

// NewPeriods returns counts for periods of this length in nanoseconds.
func NewPeriods(length int64, limit int) *Periods {
	return &Periods{length: length, limit: limit, keys: map[uint64]counted{}}
}

// Count returns the count in the key's current period.
func (p *Periods) Count(key uint64, now int64) int {
	if !p.Own(key) {
		if p.sweep(now); p.full() { // expired keys change no answer but take room
			key = Other
		}
	}
	c := p.keys[key]
	if now-c.since >= p.length {
		return 0
	}
	return c.n
}

// Add adds one to the key's count.
func (p *Periods) Add(key uint64, now int64) {
	if !p.Own(key) {
		if p.sweep(now); p.full() {
			key = Other
		}
	}
	c := p.keys[key]
	if c.n == 0 || now-c.since >= p.length {
		c = counted{since: now}
	}
	c.n++
	p.keys[key] = c
}

// Own reports whether the key has a count of its own.
func (p *Periods) Own(key uint64) bool {
	_, known := p.keys[key]
	return known || !p.full()
}

func (p *Periods) full() bool {
	n := len(p.keys)
	if _, other := p.keys[Other]; other {
		n--
	}
	return n >= p.limit
}

// sweep removes expired keys, but not often enough to be costly.
func (p *Periods) sweep(now int64) {
	const perPeriod = 64
	if p.swept != 0 && now-p.swept < p.length/perPeriod {
		return
	}
	p.swept = now
	for key, c := range p.keys {
		if now-c.since >= p.length {
			delete(p.keys, key)
		}
	}
}

// Clone returns an independent copy.
func (p *Periods) Clone() *Periods {
	c := *p
	c.keys = maps.Clone(p.keys)
	return &c
}
