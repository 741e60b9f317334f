package describe

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Resource is what a resource's attributes say.
type Resource struct {
	// Text is canonical: two resources share it if and only if they hold the same attributes.
	Text    string
	Service string
	// Clock identifies the clock that the resource's spans were timed by; "" where the attributes do not tell.
	Clock     string
	ClockName string
}

// Resources describes resources, each distinct one once: a batch holds the same few for every trace. The zero value is
// ready for use, by one goroutine at a time.
type Resources struct {
	text  canonical
	known map[string]*Resource
}

// Of describes a resource.
func (d *Resources) Of(resource pcommon.Resource) *Resource {
	text := d.text.of(resource.Attributes())
	found, ok := d.known[string(text)]
	if !ok {
		attrs := resource.Attributes()
		found = &Resource{string(text), serviceName(attrs), clockIdentity(attrs), clockName(attrs)}
		if d.known == nil {
			d.known = make(map[string]*Resource)
		}
		d.known[found.Text] = found
	}
	return found
}

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
	name := serviceName(resource)
	for _, key := range instanceKeys {
		if v := attribute(resource, key); v != "" {
			return name + " @ " + v
		}
	}
	return name
}

// unknownService is the name of a service whose resource does not say.
const unknownService = "unknown_service"

// serviceName is the resource's service.name, or unknownService.
func serviceName(resource pcommon.Map) string {
	if name := attribute(resource, "service.name"); name != "" {
		return name
	}
	return unknownService
}

// attribute is an attribute's value as text, and "" where it is absent.
func attribute(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok {
		return v.AsString()
	}
	return ""
}
