package describe

import (
	"hash/maphash"

	"github.com/slowburn/slowburn/internal/wire"
)

var seed = maphash.MakeSeed()

// Numbers returns numbers that stand for the text of a resource and for its clock: equal ones for equal texts, as far as hashes
// tell, and 0 for a clock that the attributes do not tell. They hold as long as the process runs.
func Numbers(header []byte) (resource, clock uint64) {
	instance := false
	for key, v := range wire.ResourceAttributes(header) {
		h := hash(key, v)
		resource += h // in whatever order
		if i := clockKey(key); i >= 0 && len(v.Content()) > 0 {
			clock += h
			instance = instance || i >= firstInstance && i <= lastInstance
		}
	}
	if !instance {
		clock = 0
	}
	return resource + 1, clock // one without attributes is known, too
}

func hash(key []byte, v wire.Value) uint64 {
	return maphash.Bytes(seed, key)*(2*uint64(v.Kind())+1) ^ maphash.Bytes(seed, v.Content())
}
