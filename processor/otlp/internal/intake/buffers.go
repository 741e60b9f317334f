package intake

import "sync"

// Sizes of the pooled buffers of bodies, one per step of growth. Larger buffers, for rare requests, are not pooled.
const (
	minBuffer  = 16 << 10
	stepFactor = 4
	numPools   = 5
	maxPooled  = minBuffer << (2 * (numPools - 1)) // 4 MiB
)

var pools [numPools]sync.Pool // of *[]byte; pool i has those of minBuffer << (2*i) bytes

// poolOf returns the pool of the smallest buffers with at least size bytes, and their size. size is at most
// maxPooled.
func poolOf(size int64) (pool *sync.Pool, exact int64) {
	i := 0
	for exact = minBuffer; exact < size; exact *= stepFactor {
		i++
	}
	return &pools[i], exact
}

// roundUp returns the size of the buffer that getBuffer returns.
func roundUp(size int64) int64 {
	if size > maxPooled {
		return page(size)
	}
	_, size = poolOf(size)
	return size
}

// page rounds a size up as the allocator does.
func page(size int64) int64 { return (size + 8191) &^ 8191 }

// getBuffer returns an empty buffer of a size from roundUp, and whether putBuffer pools it.
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
	kept := buffer // allocated only here
	pool.Put(&kept)
}

// GetBuffer returns n bytes of any content. The caller reserves them before or directly after.
func GetBuffer(n int) []byte {
	b, _ := getBuffer(roundUp(int64(n)))
	return b[:n]
}

// PutBuffer takes back the bytes of GetBuffer.
func PutBuffer(b []byte) { putBuffer(b[:0], int64(cap(b)) <= maxPooled) }
