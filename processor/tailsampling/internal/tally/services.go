package tally

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/wire"
)

// maxServices is the number of services that are counted by name, the first to appear; all others are
// otherServices.
const (
	maxServices    = 1000
	otherServices  = "__other__"
	unknownService = "unknown_service" // of spans whose resource has no service.name
	maxServiceName = 256               // bytes; services with longer names are otherServices, too
)

// Services counts received and kept spans by service. It is safe for concurrent use.
type Services struct {
	mu   sync.Mutex // for adding
	list atomic.Pointer[map[string]*Service]
}

// Service counts spans, and the bytes of their bodies.
type Service struct {
	In, Kept struct{ Spans, Bytes atomic.Int64 }
}

// Of returns the counters of a resource's service. resource is the body of a ResourceSpans or its header.
func (c *Services) Of(resource []byte) *Service {
	name := []byte(unknownService)
	if v, ok := wire.ResourceAttribute(resource, "service.name"); ok && v.Kind() == wire.String && len(v.Bytes()) > 0 {
		if name = v.Bytes(); len(name) > maxServiceName {
			name = []byte(otherServices)
		}
	}
	if list := c.list.Load(); list != nil {
		if s, known := (*list)[string(name)]; known {
			return s
		}
	}
	return c.add(string(name))
}

func (c *Services) add(name string) *Service {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := map[string]*Service{}
	if list := c.list.Load(); list != nil {
		known = *list
	}
	if s := known[name]; s != nil {
		return s
	}
	if len(known) >= maxServices {
		if name = otherServices; known[name] != nil {
			return known[name]
		}
	}
	s := new(Service)
	longer := maps.Clone(known)
	longer[name] = s
	c.list.Store(&longer)
	return s
}

// All yields the services by name, in order.
func (c *Services) All(yield func(string, *Service) bool) {
	list := c.list.Load()
	if list == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(*list)) {
		if !yield(name, (*list)[name]) {
			return
		}
	}
}
