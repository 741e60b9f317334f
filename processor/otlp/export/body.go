package export

import (
	"io"
	"sync"

	"google.golang.org/grpc/mem"
)

// bodies pools the buffers of requests. Unlike gRPC's pools it does not clear them, and they grow to the size of requests.
var bodies bodyPool

type bodyPool struct{ pool sync.Pool } // *[]byte

// Get implements mem.BufferPool.
func (p *bodyPool) Get(length int) *[]byte {
	b, ok := p.pool.Get().(*[]byte)
	if !ok {
		b = new([]byte)
	}
	if cap(*b) < length {
		*b = make([]byte, length)
	}
	*b = (*b)[:length]
	return b
}

// maxPooled is the largest buffer that is kept: one huge request must not cost its memory for good.
const maxPooled = 16 << 20

// Put implements mem.BufferPool.
func (p *bodyPool) Put(b *[]byte) {
	if cap(*b) <= maxPooled {
		p.pool.Put(b)
	}
}

// body holds the bytes of a request. Each reader has a reference; freeing the last one returns the bytes to the pool.
type body struct{ mem.Buffer }

// newBody returns the body that write appends to an empty slice.
func newBody(write func(dst []byte) []byte) body {
	b := bodies.Get(0)
	*b = write(*b)
	return body{mem.NewBuffer(b, &bodies)}
}

// open returns a reader with a reference of its own, which Close frees.
func (b body) open() io.ReadCloser {
	b.Ref()
	return &bodyReader{body: b, rest: b.ReadOnlyData()}
}

// bodyReader may be closed while it is read: net/http does that if an answer comes before the request is sent. It has no
// WriteTo, which would read without the lock.
type bodyReader struct {
	mu   sync.Mutex
	body body
	rest []byte
	done bool
}

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done || len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (r *bodyReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		r.done, r.rest = true, nil
		r.body.Free()
	}
	return nil
}
