// Package describe reads attributes: Text returns their canonical text, Resource the service of a resource and the clock of
// its spans, Scope the marks of a scope. It is pure.
package describe
