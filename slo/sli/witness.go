package sli

import (
	"os"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
)

// processAttributes tell processes apart.
var processAttributes = []string{
	"service.name", "service.instance.id", "host.name", "host.id", "k8s.pod.uid", "k8s.pod.name", "container.id", "process.pid",
}

// hostname is empty where the machine has none.
var hostname, _ = os.Hostname()

// witness tells a clock that is not believed what time it is by the processes that sent the spans.
func witness(r *wire.Request) {
	if clock.Doubted() {
		witnesses(r, clock.Witness)
	}
}

// witnesses finds the processes that sent spans, and when the last of their spans ended. Those that run on this machine share its
// clock, and are left out.
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
