// Package describe reads what attributes say: Text is the canonical text of attributes, Resource the service that a resource
// names and the clock that its spans were timed by, Scope what a scope says. It is pure.
package describe
