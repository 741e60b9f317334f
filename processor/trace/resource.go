package trace

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// canonicalMap is a text that two maps share if and only if they hold the same keys and values, in whatever order.
func canonicalMap(m pcommon.Map) string {
	entries := make([]string, 0, m.Len())
	for k, v := range m.All() {
		text := v.AsString()
		entries = append(entries, strconv.Itoa(len(k))+":"+k+strconv.Itoa(int(v.Type()))+":"+strconv.Itoa(len(text))+":"+text)
	}
	slices.Sort(entries)
	return strings.Join(entries, "")
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
