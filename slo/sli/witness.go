package sli

import (
	"os"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
)

// processAttributes are the resource attributes that distinguish processes.
var processAttributes = []string{
	"service.name", "service.instance.id", "host.name", "host.id", "k8s.pod.uid", "k8s.pod.name", "container.id", "process.pid",
}

// hostname is the machine's own; empty if it has none.
var hostname, _ = os.Hostname()

// witness gives a clock that is in doubt the times that senders of spans observed.
func witness(r *wire.Request) {
	if clock.Doubted() {
		witnesses(r, clock.Witness)
	}
}

// witnesses calls hear for each process that sent spans, with the end of its latest span. It leaves out processes on this
// machine, which share its clock.
func witnesses(r *wire.Request, hear func(process uint64, end time.Time)) {
	ends := make([]uint64, len(r.Resources))
	for i := range r.Spans {
		s := &r.Spans[i]
		resource := r.Scopes[s.Scope].Resource
		ends[resource] = max(ends[resource], s.End)
	}
	for i, end := range ends {
		body := r.Resources[i].Body.Of(r.Bytes)
		if v, ok := wire.ResourceAttribute(body, "host.name"); ok && hostname != "" && string(v.Content()) == hostname || end == 0 {
			continue
		}
		var h xxh3.Hasher
		for _, name := range processAttributes {
			if v, ok := wire.ResourceAttribute(body, name); ok {
				_, _ = h.Write(v.Content())
			}
			_, _ = h.Write([]byte{0})
		}
		hear(h.Sum64(), time.Unix(0, int64(end)))
	}
}
