package export

import (
	"io"
	"sync"

	"google.golang.org/grpc/mem"
)

// bodies are buffers of requests. Unlike gRPC's pools it does not clear them, and they grow to the size that requests have.
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

// maxPooled is how large a buffer may be that is kept: one huge request must not cost its memory for good.
const maxPooled = 16 << 20

// Put implements mem.BufferPool.
func (p *bodyPool) Put(b *[]byte) {
	if cap(*b) <= maxPooled {
		p.pool.Put(b)
	}
}

// body is the bytes of a request. Whoever reads them has a reference; when the last is freed they go back to the pool.
type body struct{ mem.Buffer }

// newBody makes the bytes of a request by appending to an empty slice.
func newBody(write func(dst []byte) []byte) body {
	b := bodies.Get(0)
	*b = write(*b)
	return body{mem.NewBuffer(b, &bodies)}
}

// open returns a reader that has a reference of its own, which Close frees.
func (b body) open() io.ReadCloser {
	b.Ref()
	return &bodyReader{body: b, rest: b.ReadOnlyData()}
}

// bodyReader may be closed while it is read: net/http does so where an answer comes before the request has left. It has no
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
