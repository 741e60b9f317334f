package sim

import (
	"hash/maphash"

	"github.com/slowburn/slowburn/internal/wire"
)

// finding stands for the findings of a reconstruction: it shows whether they are still there.
type finding struct {
	of   wire.TraceID
	gone bool
}

// findings are the findings of a load's traces, in reused memory. They implement wire.Room.
type findings []*finding

// Reset implements wire.Room.
func (f *findings) Reset() {
	for _, one := range *f {
		one.gone = true
	}
	*f = (*f)[:0]
}

// Memory implements wire.Room.
func (f *findings) Memory() int { return 1000 * cap(*f) }

// reconstruct stands for the component before the destinations, which reconstructs each trace once: every destination that
// receives the trace later must get the same findings.
func reconstruct(k *wire.Kept) {
	room, ok := k.Room.(*findings)
	if !ok {
		room = &findings{}
		k.Room = room
	}
	for i := range k.Traces {
		if t := &k.Traces[i]; !t.Reconstructed {
			f := &finding{of: t.ID}
			t.Reconstructed, t.Found = true, f
			*room = append(*room, f)
		}
	}
}

var seed = maphash.MakeSeed()

// hash differs for different bodies of spans. It is compared within one process only.
func hash(body []byte) uint64 { return maphash.Bytes(seed, body) }
