package intake

import (
	"errors"
	"io"
	"sync"
)

// Request holds one request's part of a Budget, and its body. It belongs to one goroutine.
type Request struct {
	budget   *Budget
	held     int64
	arrived  int64 // the connection's bytes for the request, held until it ends
	arriving bool  // it may use the part for arriving requests
	body     []byte
	pooled   bool // body comes from a pool
}

var requests = sync.Pool{New: func() any { return new(Request) }}

// End returns everything. Neither the Request nor its body may be used afterwards.
func (q *Request) End() {
	q.Drop()
	q.Release(q.held)
	*q = Request{}
	requests.Put(q)
}

// HeldByConnection says that its connection holds n bytes for a request until it ends, so that Hold knows what that takes in all.
func HeldByConnection(q *Request, n int64) { q.arrived = n }

// Body returns the received bytes. They are valid until Drop or End.
func (q *Request) Body() []byte { return q.body }

// Borrow makes b the body. It belongs to the caller and must stay valid until End.
func (q *Request) Borrow(b []byte) error {
	q.Drop()
	if err := q.Hold(int64(len(b))); err != nil {
		return err
	}
	q.body = b[:len(b):len(b)]
	return nil
}

// Fit moves the body to a buffer of exactly its length.
func (q *Request) Fit() error {
	size := page(int64(len(q.body)))
	if size >= int64(cap(q.body)) {
		return nil
	}
	return q.move(size, func() ([]byte, bool) { return make([]byte, 0, size), false })
}

// Room returns the capacity of the body's buffer in bytes.
func (q *Request) Room() int64 { return int64(cap(q.body)) }

// Drop returns the body's buffer.
func (q *Request) Drop() {
	size := int64(cap(q.body))
	putBuffer(q.body, q.pooled)
	q.body, q.pooled = nil, false
	q.Release(size)
}

// ReadAll reads r to its end into the body, which grows as bytes come. More than limit bytes are refused with a
// *TooLargeError. expect is the announced length, 0 if unknown: it limits the last step of growth, but reserves
// nothing before the bytes come.
func (q *Request) ReadAll(r io.Reader, limit, expect int64) error {
	for {
		if len(q.body) == cap(q.body) {
			if err := q.grow(limit, expect); err != nil {
				return err
			}
		}
		n, err := r.Read(q.body[len(q.body):cap(q.body)])
		q.body = q.body[:len(q.body)+n]
		switch {
		case int64(len(q.body)) > limit:
			return ErrTooLong
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// Make allocates room for a body of n bytes that have already arrived, so that it need not grow.
func (q *Request) Make(n int64) error {
	if n <= int64(cap(q.body)) {
		return nil
	}
	return q.resize(n)
}

// ErrTooLong refuses a body over the limit of its door, which names the key. It is a *TooLargeError.
var ErrTooLong error = &TooLargeError{"the decompressed body is over the limit"}

// grow makes room for more bytes of the body, for fewer if the budget is nearly used up.
func (q *Request) grow(limit, expect int64) error {
	size := int64(cap(q.body)) * stepFactor
	if limit < size {
		size = limit + 1 // so that ReadAll notices a longer body
	}
	if expect >= int64(cap(q.body)) && expect < size {
		size = expect + 1
	}
	err := q.resize(max(size, minBuffer))
	if tight := page(int64(cap(q.body)) * 5 / 4); err != nil && len(q.body) > 0 && tight < size {
		err = q.move(tight, func() ([]byte, bool) { return make([]byte, 0, tight), false })
	}
	return err
}

// resize moves the body to a buffer of at least size bytes.
func (q *Request) resize(size int64) error {
	size = roundUp(size)
	return q.move(size, func() ([]byte, bool) { return getBuffer(size) })
}

// move moves the body to a buffer of size bytes from get.
func (q *Request) move(size int64, get func() (buffer []byte, pooled bool)) error {
	if err := q.Hold(size); err != nil {
		return err
	}
	buffer, pooled := get()
	buffer = append(buffer, q.body...)
	q.Drop()
	q.body, q.pooled = buffer, pooled
	return nil
}
