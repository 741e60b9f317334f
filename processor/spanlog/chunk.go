package spanlog

// chunk is the memory of a segment: anonymous, or a mapped file.
type chunk struct {
	buf    []byte
	number uint64 // of its file; 0 if it is in no file
	heap   bool   // on the Go heap, which releases it itself
}

func (c chunk) onDisk() bool { return c.number != 0 }

// allocator is where memory for segments comes from. It is safe for concurrent use.
type allocator interface {
	// allocate returns memory of this size that can be written to without failing.
	allocate(size int) (chunk, error)
	// release gives memory of allocate back, and the room that it took on disk.
	release(chunk) error
	// unmap gives memory of allocate back, but not its file.
	unmap(chunk)
}

// anonymous allocates memory that is in no file.
type anonymous struct{}

func (anonymous) allocate(size int) (chunk, error) { return allocate(size), nil }

func (anonymous) release(c chunk) error {
	release(c)
	return nil
}

func (anonymous) unmap(c chunk) { release(c) }
