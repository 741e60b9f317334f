// Package known is what the pages can ask: Components holds the host's extensions, and what announced itself; Find and
// FindAll look a component up by what it can do. Components is goroutine-safe; its lock is held for a look-up.
package known

import (
	"cmp"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// Components is what the pages can ask: the host's extensions, and what announced itself. Safe for concurrent use.
type Components struct {
	// Extensions returns the host's extensions. It must be set before all else is used.
	Extensions func() map[component.ID]component.Component

	mu        sync.RWMutex
	announced []Component
}

// Component is one of them.
type Component struct {
	ID       component.ID
	Value    any
	Pipeline bool // it announced itself, as components of pipelines do
}

// Add notes a component that announced itself.
func (s *Components) Add(id component.ID, c any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = append(s.announced, Component{id, c, true})
}

// Remove forgets a component that announced itself.
func (s *Components) Remove(id component.ID, c any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = slices.DeleteFunc(s.announced, func(n Component) bool { return n.ID == id && n.Value == c })
}

// All lists everything known, extensions first, by ID within each.
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
