package slab

import (
	"iter"
	"unsafe"
)

// Ring remembers the latest values of T, up to a limit, and finds them by hash. A new value replaces the oldest when it
// is full. T should hold no pointers, so that the garbage collector does not scan the values. It grows as needed and is
// not safe for concurrent use.
type Ring[T any] struct {
	limit  int
	hash   func(*T) uint32
	values []T
	oldest int // the next to be overwritten, once the ring is full
	table  Table
}

// NewRing returns an empty ring for limit values; with 0 it remembers none. hash must return the hash that a value is put
// under.
func NewRing[T any](limit int, hash func(*T) uint32) Ring[T] {
	return Ring[T]{limit: limit, hash: hash}
}

// Put remembers a value under its hash and returns its place, -1 if the limit is 0. Values with the same hash stay.
func (r *Ring[T]) Put(hash uint32, v T) int {
	if r.limit == 0 {
		return -1
	}
	i := len(r.values)
	if i < r.limit {
		r.values = append(r.values, v)
	} else {
		i = r.oldest
		if r.oldest++; r.oldest == r.limit {
			r.oldest = 0
		}
		r.table.Remove(r.hash(&r.values[i]), uint32(i+1))
		r.values[i] = v
	}
	r.table.Insert(hash, uint32(i+1))
	return i
}

// Places iterates over the places of the values with a hash.
func (r *Ring[T]) Places(hash uint32) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n, at := r.table.First(hash); n != 0; n, at = r.table.Next(hash, at) {
			if !yield(int(n - 1)) {
				return
			}
		}
	}
}

// At returns the value at a place, which must be below Len. It is valid until the next Put.
func (r *Ring[T]) At(place int) *T { return &r.values[place] }

// Len is the number of values.
func (r *Ring[T]) Len() int { return len(r.values) }

// Limit is the largest number of values.
func (r *Ring[T]) Limit() int { return r.limit }

// Bytes is the memory that the ring occupies.
func (r *Ring[T]) Bytes() int {
	var zero T
	return cap(r.values)*int(unsafe.Sizeof(zero)) + r.table.Bytes()
}

// Oldest yields the values, the oldest first. They are valid until the next Put.
func (r *Ring[T]) Oldest(yield func(*T) bool) {
	for i := range r.values {
		place := i + r.oldest
		if place >= len(r.values) {
			place -= len(r.values)
		}
		if !yield(&r.values[place]) {
			return
		}
	}
}
