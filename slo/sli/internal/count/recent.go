package count

// recent are calls of weight one that are not in their series' histogram yet. They are in one line of the processor's cache,
// where a histogram takes up dozens: where there are many series, what waits for memory is moved there many at a time.
type recent struct {
	sum   uint64 // nanoseconds
	n     uint16
	index [recentLength]int16 // of their buckets, at maxScale
}

const (
	recentLength = 27
	// maxRecent is the longest duration that recent takes: so many of them do not overflow.
	maxRecent = 1 << 58
)

func (r *recent) isFull() bool { return r.n == recentLength }

// add reports whether there was room, and the duration is one that has a bucket.
func (r *recent) add(nanos uint64) bool {
	n := r.n
	if n >= recentLength || nanos-1 >= maxRecent {
		return false
	}
	r.index[n] = int16(finestIndex(float64(nanos) / 1e9))
	r.sum += nanos
	r.n = n + 1
	return true
}

// settle counts in the histogram what is recent.
func (s *CallSeries) settle() {
	r, h := &s.recent, &s.duration
	if r.n == 0 {
		return
	}
	h.addSum(r.sum, uint64(r.n))
	for _, index := range r.index[:r.n] {
		i := h.position(int32(index))
		h.Buckets[i]++
	}
	r.sum, r.n = 0, 0
}

// durations returns the histogram of all durations.
func (s *CallSeries) durations() *Histogram {
	s.settle()
	return &s.duration
}
