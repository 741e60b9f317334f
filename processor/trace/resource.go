package trace

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// description is what a resource's attributes say.
type description struct {
	text      string // canonical: two resources share it if and only if they hold the same attributes
	service   string
	clock     string // identity of the clock that its spans were timed by; "" if it does not tell
	clockName string
}

// describer describes resources, each distinct one once: a batch holds the same few for every trace.
type describer struct {
	canonical
	known map[string]*description
}

func (d *describer) describe(resource pcommon.Resource) *description {
	text := d.of(resource.Attributes())
	found, ok := d.known[string(text)]
	if !ok {
		attrs := resource.Attributes()
		found = &description{string(text), ServiceName(attrs), clockIdentity(attrs), clockName(attrs)}
		if d.known == nil {
			d.known = make(map[string]*description)
		}
		d.known[found.text] = found
	}
	return found
}

// canonical makes a text that two maps share if and only if they hold the same keys and values, in whatever order.
type canonical struct {
	entries, sorted []byte
	ends            []extent
}

// extent is a range of bytes.
type extent struct{ from, to int }

// of returns the map's text, which is valid until the next call.
func (c *canonical) of(m pcommon.Map) []byte {
	c.entries, c.sorted, c.ends = c.entries[:0], c.sorted[:0], c.ends[:0]
	for k, v := range m.All() {
		from := len(c.entries)
		c.entries = append(append(strconv.AppendInt(c.entries, int64(len(k)), 10), ':'), k...)
		text := v.AsString()
		c.entries = append(strconv.AppendInt(c.entries, int64(v.Type()), 10), ':')
		c.entries = append(append(strconv.AppendInt(c.entries, int64(len(text)), 10), ':'), text...)
		c.ends = append(c.ends, extent{from, len(c.entries)})
	}
	entry := func(e extent) []byte { return c.entries[e.from:e.to] }
	slices.SortFunc(c.ends, func(x, y extent) int { return bytes.Compare(entry(x), entry(y)) })
	for _, e := range c.ends {
		c.sorted = append(c.sorted, entry(e)...)
	}
	return c.sorted
}

// canonicalMap is the canonical text of one map.
func canonicalMap(m pcommon.Map) string { return string(new(canonical).of(m)) }

// clockKeys are the attributes that, together, tell one process from all others. Too fine a key is sound, it only costs
// precision; too coarse a key moves spans that were right.
var clockKeys = []string{
	"service.namespace", "service.name", "service.instance.id", "k8s.pod.uid", "container.id", "host.id", "host.name",
	"process.pid",
}

// instanceKeys are those of clockKeys of which one must be there: a service's name is shared by all its instances, and
// every container has a process 1.
var instanceKeys = []string{"service.instance.id", "k8s.pod.uid", "container.id", "host.id", "host.name"}

// clockIdentity is the key of the clock that a resource's spans were timed by, and "" where the resource does not tell.
func clockIdentity(resource pcommon.Map) string {
	if !slices.ContainsFunc(instanceKeys, func(k string) bool { return attribute(resource, k) != "" }) {
		return ""
	}
	var b strings.Builder
	for _, key := range clockKeys {
		if v := attribute(resource, key); v != "" {
			b.WriteString(key + "=" + strconv.Itoa(len(v)) + ":" + v + ";")
		}
	}
	return b.String()
}

// clockName is how people tell the clock: service @ instance.
func clockName(resource pcommon.Map) string {
	name := ServiceName(resource)
	for _, key := range instanceKeys {
		if v := attribute(resource, key); v != "" {
			return name + " @ " + v
		}
	}
	return name
}

// UnknownService is the name of a service whose resource does not say.
const UnknownService = "unknown_service"

// ServiceName is the resource's service.name, or UnknownService.
func ServiceName(resource pcommon.Map) string {
	if name := attribute(resource, "service.name"); name != "" {
		return name
	}
	return UnknownService
}

// attribute is an attribute's value as text, and "" where it is absent.
func attribute(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok {
		return v.AsString()
	}
	return ""
}
