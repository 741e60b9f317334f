package rule

import (
	"unsafe"

	"github.com/slowburn/slowburn/internal/wire"
)

// ResourceMemo remembers the attributes that policies have read from a resource, so that a large one is read once per attribute and
// not once per span. Its zero value is empty. It is for one goroutine, which calls Reset before it reuses the bytes of resources.
type ResourceMemo struct {
	first  *byte // of the resource, which is identified by its address
	length int
	known  []resourceAttribute
}

// resourceAttribute is the value of a key.
type resourceAttribute struct {
	key   string
	value wire.Value
	found bool
}

// Reset empties the memo.
func (m *ResourceMemo) Reset() {
	clear(m.known)
	m.first, m.length, m.known = nil, 0, m.known[:0]
}

// smallResource is the length up to which reading a resource is faster than looking it up.
const smallResource = 256

// ResourceAttribute returns the value of the first attribute of the span's resource with the key.
func (v *SpanView) ResourceAttribute(key string) (wire.Value, bool) {
	if v.Memo == nil || len(v.Resource) <= smallResource {
		return wire.ResourceAttribute(v.Resource, key)
	}
	return v.Memo.attribute(v.Resource, key)
}

func (m *ResourceMemo) attribute(resource []byte, key string) (wire.Value, bool) {
	if first := unsafe.SliceData(resource); first != m.first || len(resource) != m.length {
		m.Reset()
		m.first, m.length = first, len(resource)
	}
	for i := range m.known {
		if a := &m.known[i]; a.key == key {
			return a.value, a.found
		}
	}
	value, found := wire.ResourceAttribute(resource, key)
	m.known = append(m.known, resourceAttribute{key, value, found})
	return value, found
}
