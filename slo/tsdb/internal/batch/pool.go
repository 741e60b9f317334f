package batch

import (
	"sync"

	"github.com/prometheus/prometheus/storage"
)

// Pool keeps batches for the next request, so that a flush of the same series every few seconds reuses them.
type Pool struct{ pool sync.Pool }

// Get returns an empty batch, whose metrics f learns.
func (p *Pool) Get(f *Families) *Batch {
	b, ok := p.pool.Get().(*Batch)
	if !ok {
		b = &Batch{Seen: map[storage.SeriesRef]int32{}}
	}
	b.families = f
	return b
}

// Put takes a batch back, which must not be used again.
func (p *Pool) Put(b *Batch) {
	clear(b.Samples)
	clear(b.Seen)
	b.Samples, b.Order, b.families, b.family = b.Samples[:0], b.Order[:0], nil, ""
	p.pool.Put(b)
}
