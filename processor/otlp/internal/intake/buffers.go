package intake

import "sync"

// Buffers of bodies: the sizes that are kept for use again, each a step of growth. A larger one, of a rare request, is not.
const (
	minBuffer  = 16 << 10
	stepFactor = 4
	numPools   = 5
	maxPooled  = minBuffer << (2 * (numPools - 1)) // 4 MiB
)

var pools [numPools]sync.Pool // of *[]byte, pool i of those of minBuffer << (2*i) bytes

// poolOf returns the pool of the buffers that hold at least size bytes, which is at most maxPooled, and their size.
func poolOf(size int64) (pool *sync.Pool, exact int64) {
	i := 0
	for exact = minBuffer; exact < size; exact *= stepFactor {
		i++
	}
	return &pools[i], exact
}

// roundUp returns the size of the buffer that getBuffer gives.
func roundUp(size int64) int64 {
	if size > maxPooled {
		return page(size)
	}
	_, size = poolOf(size)
	return size
}

// page returns a size as the allocator rounds it.
func page(size int64) int64 { return (size + 8191) &^ 8191 }

// getBuffer returns an empty buffer of a size that roundUp gave, and whether putBuffer keeps it.
func getBuffer(size int64) (buffer []byte, pooled bool) {
	if size > maxPooled {
		return make([]byte, 0, size), false
	}
	pool, _ := poolOf(size)
	if b, ok := pool.Get().(*[]byte); ok {
		return (*b)[:0], true
	}
	return make([]byte, 0, size), true
}

// putBuffer takes a buffer back.
func putBuffer(buffer []byte, pooled bool) {
	if !pooled {
		return
	}
	pool, _ := poolOf(int64(cap(buffer)))
	pool.Put(&buffer)
}

// GetBuffer returns n bytes of any content, which the caller has reserved or reserves next.
func GetBuffer(n int) []byte {
	b, _ := getBuffer(roundUp(int64(n)))
	return b[:n]
}

// PutBuffer takes the bytes of GetBuffer back.
func PutBuffer(b []byte) { putBuffer(b[:0], int64(cap(b)) <= maxPooled) }
