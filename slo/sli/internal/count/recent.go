package count

// recent are calls of weight one that are not in their series' histogram yet. They are in one line of the processor's cache,
// where a histogram takes up dozens: where there are many series, what waits for memory is moved there many at a time.
type recent struct {
	sum uint64 // nanoseconds
	// offset, coarser and room are the histogram's Offset, coarser and number of buckets.
	offset  int16
	coarser uint8
	room    uint8
	n       uint8
	bucket  [recentLength]uint8
}

const (
	recentLength = 51
	// maxRecent is the longest duration that recent takes: so many of them do not overflow.
	maxRecent = 1 << 57
)

func (r *recent) isFull() bool { return r.n == recentLength }

// add reports whether there was room for the duration, and a bucket.
func (r *recent) add(nanos uint64) bool {
	n := r.n
	if n >= recentLength || nanos-1 >= maxRecent {
		return false
	}
	i := finestIndex(float64(nanos)/1e9)>>r.coarser - int32(r.offset)
	if uint32(i) >= uint32(r.room) {
		return false
	}
	r.bucket[n] = uint8(i)
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
	h.Count += uint64(r.n)
	h.addSum(0, r.sum)
	buckets := h.Buckets
	for _, i := range r.bucket[:r.n] {
		buckets[i]++
	}
	r.sum, r.n = 0, 0
}

// add counts a duration in nanoseconds w times, in the histogram, whose buckets may become others.
func (s *CallSeries) add(nanos uint64, w Weight) {
	s.settle()
	s.duration.add(nanos, w)
	s.fit()
}

// fit takes note of the buckets that the histogram has. Nothing is recent then.
func (s *CallSeries) fit() {
	h := &s.duration
	s.recent = recent{offset: int16(h.Offset), coarser: uint8(h.coarser), room: uint8(len(h.Buckets))}
}

// durations returns the histogram of all durations, for reading.
func (s *CallSeries) durations() *Histogram {
	s.settle()
	return &s.duration
}
