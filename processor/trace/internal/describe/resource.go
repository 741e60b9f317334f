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

// The attributes that together identify a process, in the order of clockKeys. A key that is too fine is sound and only costs
// precision; one that is too coarse moves spans that were right.
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

// At least one attribute from firstInstance to lastInstance must be there: all instances share a service's name, and every
// container has a process 1.
const (
	firstInstance = serviceInstance
	lastInstance  = hostName
)

// identity has the values of clockKeys in a resource, as text.
type identity [clockKeyCount]struct {
	text  string
	known bool
}

func (of *identity) add(key []byte, v wire.Value) {
	if i := clockKey(key); i >= 0 && !of[i].known { // the first one counts
		of[i].text, of[i].known = v.AsString(), true
	}
}

// clockKey returns the index of the key in clockKeys, -1 for any other key.
func clockKey(key []byte) int {
	for i := range clockKeys {
		if string(key) == clockKeys[i] {
			return i
		}
	}
	return -1
}

// instance returns the first text that identifies an instance of the service, "" if there is none.
func (of *identity) instance() string {
	for i := firstInstance; i <= lastInstance; i++ {
		if of[i].text != "" {
			return of[i].text
		}
	}
	return ""
}

// clock returns the key of the clock of a resource's spans, "" if the resource does not identify it.
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

// clockName returns the clock's name for people: service @ instance.
func (of *identity) clockName() string {
	if instance := of.instance(); instance != "" {
		return of.service() + " @ " + instance
	}
	return of.service()
}

// unknownService is the name of a service if the resource has none.
const unknownService = "unknown_service"

// service returns the resource's service.name, or unknownService.
func (of *identity) service() string {
	if name := of[serviceName].text; name != "" {
		return name
	}
	return unknownService
}
