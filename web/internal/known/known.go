// Package known finds components for the pages: Components holds the host's extensions and the components that announced
// themselves; Find and FindAll look components up by the interfaces that they implement. Components is safe for concurrent
// use; its lock is held for a look-up.
package known

import (
	"cmp"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// Components holds the host's extensions and the components that announced themselves. It is safe for concurrent use.
type Components struct {
	// Extensions returns the host's extensions. Set it before use.
	Extensions func() map[component.ID]component.Component

	mu        sync.RWMutex
	announced []Component
}

// Component is an extension, or a component that announced itself.
type Component struct {
	ID       component.ID
	Value    any
	Pipeline bool // it announced itself, as components of pipelines do
}

// Add adds a component that announced itself.
func (s *Components) Add(id component.ID, c any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = append(s.announced, Component{id, c, true})
}

// Remove removes a component that announced itself.
func (s *Components) Remove(id component.ID, c any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = slices.DeleteFunc(s.announced, func(n Component) bool { return n.ID == id && n.Value == c })
}

// All returns all components, extensions first, each group sorted by ID.
func (s *Components) All() []Component {
	var list []Component
	for id, c := range s.Extensions() {
		list = append(list, Component{id, c, false})
	}
	sortByID(list)
	s.mu.RLock()
	pipeline := slices.Clone(s.announced)
	s.mu.RUnlock()
	sortByID(pipeline)
	return append(list, pipeline...)
}

func sortByID(list []Component) {
	slices.SortStableFunc(list, func(a, b Component) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
}

// FindAll returns every component that is a T.
func FindAll[T any](s *Components) (list []T) {
	for _, n := range s.All() {
		if t, ok := n.Value.(T); ok {
			list = append(list, t)
		}
	}
	return list
}

// Find returns the first component that is a T.
func Find[T any](s *Components) (T, bool) {
	for _, n := range s.All() {
		if t, ok := n.Value.(T); ok {
			return t, true
		}
	}
	var zero T
	return zero, false
}
