package describe

import (
	"strconv"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// Resource reads the header of a resource (wire.AppendResourceHeader).
func Resource(header []byte) *trace.Resource {
	text := canonical{entries: make([]byte, 0, 2*len(header)), ends: make([]extent, 0, 16)}
	var of identity
	for key, v := range wire.ResourceAttributes(header) {
		text.add(key, v)
		of.add(key, v)
	}
	return &trace.Resource{Header: header, Text: text.text(), Service: of.service(), Clock: of.clock(), ClockName: of.clockName()}
}

// The attributes that, together, tell one process from all others, in the order of clockKeys. Too fine a key is sound, it only
// costs precision; too coarse a key moves spans that were right.
const (
	serviceNamespace = iota
	serviceName
	serviceInstance
	podUID
	containerID
	hostID
	hostName
	processPID
	clockKeyCount
)

var clockKeys = [clockKeyCount]string{
	"service.namespace", "service.name", "service.instance.id", "k8s.pod.uid", "container.id", "host.id", "host.name",
	"process.pid",
}

// Of those from firstInstance to lastInstance one must be there: a service's name is shared by all its instances, and every
// container has a process 1.
const (
	firstInstance = serviceInstance
	lastInstance  = hostName
)

// identity is what a resource has under clockKeys, as text.
type identity [clockKeyCount]struct {
	text  string
	known bool
}

func (of *identity) add(key []byte, v wire.Value) {
	if i := clockKey(key); i >= 0 && !of[i].known { // the first of several counts
		of[i].text, of[i].known = v.AsString(), true
	}
}

// clockKey is the index of the key in clockKeys, and -1 for another.
func clockKey(key []byte) int {
	for i := range clockKeys {
		if string(key) == clockKeys[i] {
			return i
		}
	}
	return -1
}

// instance is the first text that tells an instance of the service, and "" where there is none.
func (of *identity) instance() string {
	for i := firstInstance; i <= lastInstance; i++ {
		if of[i].text != "" {
			return of[i].text
		}
	}
	return ""
}

// clock is the key of the clock that a resource's spans were timed by, and "" where the resource does not tell.
func (of *identity) clock() string {
	if of.instance() == "" {
		return ""
	}
	key := make([]byte, 0, 256)
	for i := range of {
		if v := of[i].text; v != "" {
			key = append(append(key, clockKeys[i]...), '=')
			key = append(append(strconv.AppendInt(key, int64(len(v)), 10), ':'), v...)
			key = append(key, ';')
		}
	}
	return string(key)
}

// clockName is how people tell the clock: service @ instance.
func (of *identity) clockName() string {
	if instance := of.instance(); instance != "" {
		return of.service() + " @ " + instance
	}
	return of.service()
}

// unknownService is the name of a service whose resource does not say.
const unknownService = "unknown_service"

// service is the resource's service.name, or unknownService.
func (of *identity) service() string {
	if name := of[serviceName].text; name != "" {
		return name
	}
	return unknownService
}
