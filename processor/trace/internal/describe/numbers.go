package describe

import (
	"hash/maphash"

	"github.com/slowburn/slowburn/internal/wire"
)

var seed = maphash.MakeSeed()

// Numbers returns hashes of a resource's text and of its clock, equal for equal ones, and 0 for a clock that the attributes do
// not identify. They are valid within the process.
func Numbers(header []byte) (resource, clock uint64) {
	instance := false
	for key, v := range wire.ResourceAttributes(header) {
		h := hash(key, v)
		resource += h // in any order
		if i := clockKey(key); i >= 0 && len(v.Content()) > 0 {
			clock += h
			instance = instance || i >= firstInstance && i <= lastInstance
		}
	}
	if !instance {
		clock = 0
	}
	return resource + 1, clock // never 0, even without attributes
}

func hash(key []byte, v wire.Value) uint64 {
	return maphash.Bytes(seed, key)*(2*uint64(v.Kind())+1) ^ maphash.Bytes(seed, v.Content())
}
