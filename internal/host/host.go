// Package host lets one component of a running Collector find another.
//
// Extensions are found with Lookup (by ID) and Find (by interface). Components of pipelines cannot be looked up
// through the Collector, so they Announce themselves to every extension that implements Listener when they start, and
// Retract when they stop. Nothing here is global: two Collectors in one process do not see each other.
//
// A component that can report its health implements Prober.
package host

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
)

// Listener is an extension that receives announcements of the pipelines' components. Its methods may be called concurrently.
type Listener interface {
	// ComponentStarted announces a component, or its public part, with its ID.
	ComponentStarted(id component.ID, c any)
	// ComponentStopped retracts an announcement.
	ComponentStopped(id component.ID, c any)
}

// Health is the health of a component, or of what it depends on.
type Health struct {
	// OK reports whether it is healthy.
	OK bool
	// Blocking reports that the gateway cannot accept spans while this is not OK.
	Blocking bool
	// Message describes the finding in a sentence and, if it is not OK, says what to do.
	Message string
	// Advice recommends a setting without which nothing is broken. It is empty if there is none.
	Advice string
}

// Prober is a component that reports its health. Probe may be called concurrently and must return promptly.
type Prober interface {
	Probe(ctx context.Context) Health
}

// Lookup returns the extension with the ID as a T. The error names what to add to the configuration.
func Lookup[T any](h component.Host, id component.ID) (T, error) {
	var zero T
	ext, ok := h.GetExtensions()[id]
	if !ok {
		return zero, fmt.Errorf("no extension %q is running: define it under extensions and name it in service::extensions", id)
	}
	t, ok := ext.(T)
	if !ok {
		return zero, fmt.Errorf("extension %q cannot serve here: a %T is no %T: name the ID of another extension", id, ext, (*T)(nil))
	}
	return t, nil
}

// Find returns the one extension that is a T, and false if there is none. Several are an error that names them.
func Find[T any](h component.Host) (T, bool, error) {
	var found T
	var ids []string
	for id, ext := range h.GetExtensions() {
		if t, ok := ext.(T); ok {
			found = t
			ids = append(ids, id.String())
		}
	}
	if len(ids) > 1 {
		slices.Sort(ids)
		var zero T
		return zero, false, fmt.Errorf("several extensions could serve here, %q: keep one in service::extensions", ids)
	}
	return found, len(ids) == 1, nil
}

// Announce announces the component c with this ID to every Listener among the extensions.
func Announce(h component.Host, id component.ID, c any) {
	each(h, func(l Listener) { l.ComponentStarted(id, c) })
}

// Retract retracts an announcement.
func Retract(h component.Host, id component.ID, c any) {
	each(h, func(l Listener) { l.ComponentStopped(id, c) })
}

func each(h component.Host, tell func(Listener)) {
	if h == nil {
		return
	}
	for _, ext := range h.GetExtensions() {
		if l, ok := ext.(Listener); ok {
			tell(l)
		}
	}
}
