package cold

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// Sizes of a window in bytes. A window grows while at least half of its bytes are used.
const (
	minWindow = 4 << 10
	maxWindow = 64 << 10
	// ahead is how much of the window begins at the requested offset, for a record of the usual length. The rest is before it.
	ahead = 1 << 10
)

// window is a part of a raw file that was read.
type window struct {
	segment  *Segment // nil if nothing was read
	from, to uint32
	buf      []byte
	size     int // of the next read, in bytes
	most     int // limit of size
	useful   int // bytes of this window that were requested
}

// at returns n bytes of a segment, valid until the next call. want is how many bytes before their end may be requested next.
func (w *window) at(open *openFiles, s *Segment, at, n uint32, want int) ([]byte, error) {
	if w.segment != s || at < w.from || at+n > w.to {
		if err := w.read(open, s, at, n, want); err != nil {
			return nil, err
		}
	}
	w.useful += int(n)
	return w.buf[at-w.from:][:n:n], nil
}

// read reads a window with these bytes and those before them: a run is read from its last record to its first.
func (w *window) read(open *openFiles, s *Segment, at, n uint32, want int) error {
	f, err := open.of(s)
	if err != nil {
		return err
	}
	if w.segment != nil && 2*w.useful >= len(w.buf) {
		w.size = min(4*w.size, w.most)
	} else {
		w.size = minWindow
	}
	end := min(max(at+n, at+ahead), s.Used)
	size := max(min(w.size, want+ahead), int(end-at))
	start := uint32(max(format.HeaderSize, int(end)-size))
	w.segment = nil // until it is read
	if cap(w.buf) < int(end-start) {
		w.buf = make([]byte, max(int(end-start), minWindow))
	}
	w.buf = w.buf[:end-start]
	if _, err := f.ReadAt(w.buf, int64(start)); err != nil {
		return fmt.Errorf("read spans back from %s: %w", open.disk.File(s.File), err)
	}
	w.segment, w.from, w.to, w.useful = s, start, end, 0
	return nil
}

func newWindow(memory int) window {
	return window{size: minWindow, most: min(max(minWindow, memory/16), maxWindow)}
}

// trim frees a buffer that is larger than a window, and drops the window of a segment that is gone.
func (w *window) trim() {
	if cap(w.buf) > w.most {
		w.segment, w.buf = nil, nil
	}
	if w.segment != nil && w.segment.Gone {
		w.segment = nil
	}
}
