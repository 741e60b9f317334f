// Package describe reads what attributes say: Map the canonical text of a map, Resources of a resource the service that it
// names and the clock that its spans were timed by. It is pure.
package describe
