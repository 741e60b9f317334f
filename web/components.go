package web

import (
	"cmp"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// components is what the pages can ask: the host's extensions, and what announced itself. Safe for concurrent use.
type components struct {
	extensions func() map[component.ID]component.Component

	mu        sync.RWMutex
	announced []named
}

type named struct {
	id       component.ID
	c        any
	pipeline bool // it announced itself, as components of pipelines do
}

func (s *components) add(id component.ID, c any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = append(s.announced, named{id, c, true})
}

func (s *components) remove(id component.ID, c any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced = slices.DeleteFunc(s.announced, func(n named) bool { return n.id == id && n.c == c })
}

// all lists everything known, extensions first, by ID within each.
func (s *components) all() []named {
	var list []named
	for id, c := range s.extensions() {
		list = append(list, named{id, c, false})
	}
	sortByID(list)
	s.mu.RLock()
	pipeline := slices.Clone(s.announced)
	s.mu.RUnlock()
	sortByID(pipeline)
	return append(list, pipeline...)
}

func sortByID(list []named) {
	slices.SortStableFunc(list, func(a, b named) int { return cmp.Compare(a.id.String(), b.id.String()) })
}

// findAll returns every component that is a T.
func findAll[T any](s *components) (list []T) {
	for _, n := range s.all() {
		if t, ok := n.c.(T); ok {
			list = append(list, t)
		}
	}
	return list
}

// find returns the first component that is a T.
func find[T any](s *components) (T, bool) {
	for _, n := range s.all() {
		if t, ok := n.c.(T); ok {
			return t, true
		}
	}
	var zero T
	return zero, false
}
