package sim

import (
	"hash/maphash"

	"github.com/slowburn/slowburn/internal/wire"
)

// finding is what reconstruction found of a trace: it says whether it is still there.
type finding struct {
	of   wire.TraceID
	gone bool
}

// findings are those of the traces of a load, in memory that is used again. They implement wire.Room.
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

// reconstruct stands for the component before the destinations, which finds something of each trace once: whoever gets the trace later,
// another destination included, is to be shown that.
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

// hash is different for different bodies of spans. It is compared within one process.
func hash(body []byte) uint64 { return maphash.Bytes(seed, body) }
