package tailsampling

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/slowburn/slowburn/internal/wire"
)

// mostServices is how many services are counted by their names, the first that came; others are otherServices.
const (
	mostServices   = 1000
	otherServices  = "__other__"
	unknownService = "unknown_service" // of spans whose resource has no service.name
	longestService = 256               // bytes of a name; services with longer ones are otherServices, too
)

// services counts what comes in and what is kept by service. It is safe for concurrent use.
type services struct {
	mu   sync.Mutex // for adding
	list atomic.Pointer[map[string]*service]
}

// service counts spans, and bytes of their bodies.
type service struct {
	inSpans, inBytes     atomic.Int64
	keptSpans, keptBytes atomic.Int64
}

// of returns the counters of a resource's service. resource is the body of a ResourceSpans or its header.
func (c *services) of(resource []byte) *service {
	name := []byte(unknownService)
	if v, ok := wire.ResourceAttribute(resource, "service.name"); ok && v.Kind() == wire.String && len(v.Bytes()) > 0 {
		if name = v.Bytes(); len(name) > longestService {
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

func (c *services) add(name string) *service {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := map[string]*service{}
	if list := c.list.Load(); list != nil {
		known = *list
	}
	if s := known[name]; s != nil {
		return s
	}
	if len(known) >= mostServices {
		if name = otherServices; known[name] != nil {
			return known[name]
		}
	}
	s := new(service)
	longer := maps.Clone(known)
	longer[name] = s
	c.list.Store(&longer)
	return s
}

// all yields the services by name, in order.
func (c *services) all(yield func(string, *service) bool) {
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

// tally is what a request has of each of its resources.
type tally struct{ spans, bytes int64 }

// accepted counts a request that was taken in.
func (c *services) accepted(in *ingest) {
	r := in.request
	in.tallies = resize(in.tallies, len(r.Resources))
	clear(in.tallies)
	for i := range r.Spans {
		t := &in.tallies[r.Scopes[r.Spans[i].Scope].Resource]
		t.spans++
		t.bytes += int64(r.Spans[i].Body.Len())
	}
	for i, t := range in.tallies {
		if t.spans > 0 {
			s := c.of(in.header(i))
			s.inSpans.Add(t.spans)
			s.inBytes.Add(t.bytes)
		}
	}
}

// kept counts a batch that the next component accepted.
func (c *services) kept(b *batch) {
	b.services = resize(b.services, len(b.origins))
	clear(b.services)
	for i := range b.spans {
		s := &b.services[b.spans[i].origin]
		if *s == nil {
			*s = c.of(b.origins[b.spans[i].origin].resource.Of(b.arena))
		}
		(*s).keptSpans.Add(1)
		(*s).keptBytes.Add(int64(b.spans[i].body.Len()))
	}
}
