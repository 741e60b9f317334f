// Package host lets one component of a running Collector find another.
//
// Extensions are found with Lookup (by ID) and Find (by what they implement). Components of pipelines cannot be looked
// up through the Collector, so they Announce themselves to every extension that implements Listener when they start,
// and Retract when they stop. Nothing here is global: two Collectors in one process do not see each other.
//
// A component that can say whether it works implements Prober.
package host

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
)

// Listener is an extension that wants to know the components of the pipelines.
// Its methods may be called concurrently.
type Listener interface {
	// ComponentStarted is told a component's ID and the component, or the part of it that it shows to others.
	ComponentStarted(id component.ID, c any)
	// ComponentStopped is told that what was announced under this ID is no more.
	ComponentStopped(id component.ID, c any)
}

// Health is what a component found when it looked at itself or at what it depends on.
type Health struct {
	// OK says that all is well.
	OK bool
	// Blocking says that the gateway cannot take spans while this is not OK.
	Blocking bool
	// Message says in a sentence what was found and, where it is not OK, what to do.
	Message string
	// Advice says what to set up that nothing works wrong without, empty where there is nothing.
	Advice string
}

// Prober is a component that can tell its health. Probe may be called concurrently and must return promptly.
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

// Find returns the one extension that is a T, and false where there is none. Several are an error, which names them.
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

// Announce tells every Listener among the extensions that the component c runs under this ID.
func Announce(h component.Host, id component.ID, c any) {
	each(h, func(l Listener) { l.ComponentStarted(id, c) })
}

// Retract takes an announcement back.
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
