package rule

import (
	"unsafe"

	"github.com/slowburn/slowburn/internal/wire"
)

// ResourceMemo remembers the attributes that policies have asked a resource for, so that a large one is read once for each
// attribute and not for each span. Its zero value is empty. It is for one goroutine, which calls Reset before bytes that it was asked
// about change.
type ResourceMemo struct {
	first  *byte // of the resource, which is told by where it is
	length int
	known  []resourceAttribute
}

// resourceAttribute is the answer for a key.
type resourceAttribute struct {
	key   string
	value wire.Value
	found bool
}

// Reset forgets everything.
func (m *ResourceMemo) Reset() {
	clear(m.known)
	m.first, m.length, m.known = nil, 0, m.known[:0]
}

// smallResource is how long a resource is that is read faster than looked up.
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
