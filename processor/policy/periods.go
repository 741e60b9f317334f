package policy

import (
	"errors"
	"fmt"
	"time"
)

// KeyConfig says by what a policy tells traces apart.
type KeyConfig struct {
	// Key lists fields of the root span: name, attributes of the span or its resource, and status, which is whether any
	// span of the trace has an error.
	Key []string `mapstructure:"key"`
	// MaxKeys is how many keys are told apart; traces with others share one. 0 means 10000.
	MaxKeys int `mapstructure:"max_keys"`
}

const (
	defaultMaxKeys = 10_000
	mostKeys       = 1_000_000 // 100 MB or so
)

// compile returns the key, made of these fields where the configuration names none, and how many there may be.
func (cfg *KeyConfig) compile(c *compiler, fields ...string) (*traceKey, int, error) {
	if len(cfg.Key) > 0 {
		fields = cfg.Key
	}
	maxKeys, err1 := maxKeysOf(cfg.MaxKeys)
	k, err2 := c.key(fields, maxKeys)
	return k, maxKeys, errors.Join(err1, err2)
}

func maxKeysOf(n int) (int, error) {
	if n < 0 || n > mostKeys {
		return 0, fmt.Errorf("max_keys (%d) must be between 1 and %d, or 0 for %d", n, mostKeys, defaultMaxKeys)
	}
	if n == 0 {
		n = defaultMaxKeys
	}
	return n, nil
}

const (
	defaultPeriod = 15 * time.Minute
	mostPeriod    = 30 * 24 * time.Hour
)

func periodOf(period time.Duration) (int64, error) {
	if period < 0 || period > mostPeriod {
		return 0, fmt.Errorf("period (%s) must be between 1ns and %s, or 0 for %s", period, mostPeriod, defaultPeriod)
	}
	if period == 0 {
		period = defaultPeriod
	}
	return int64(period), nil
}

// periods counts by key, for a period from the first count on. At most limit keys are counted by themselves, the others
// together.
type periods struct {
	length int64
	limit  int
	keys   map[uint64]counted
	swept  int64 // when what was over was last taken out
}

type counted struct {
	since int64
	n     int
}

func newPeriods(length int64, limit int) *periods {
	return &periods{length: length, limit: limit, keys: map[uint64]counted{}}
}

// count returns how many there were in the key's period that lasts now.
func (p *periods) count(key uint64, now int64) int {
	if !p.own(key) {
		if p.sweep(now); p.full() { // what is over changes no answer but takes room
			key = otherKey
		}
	}
	c := p.keys[key]
	if now-c.since >= p.length {
		return 0
	}
	return c.n
}

// add counts one.
func (p *periods) add(key uint64, now int64) {
	if !p.own(key) {
		if p.sweep(now); p.full() {
			key = otherKey
		}
	}
	c := p.keys[key]
	if c.n == 0 || now-c.since >= p.length {
		c = counted{since: now}
	}
	c.n++
	p.keys[key] = c
}

// own reports whether the key is counted by itself.
func (p *periods) own(key uint64) bool {
	_, known := p.keys[key]
	return known || !p.full()
}

func (p *periods) full() bool {
	n := len(p.keys)
	if _, other := p.keys[otherKey]; other {
		n--
	}
	return n >= p.limit
}

// sweep takes out what is over, but not so often that it costs.
func (p *periods) sweep(now int64) {
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
