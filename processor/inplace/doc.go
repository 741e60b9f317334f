// Package inplace has the processors attributes, resource and filter. They are contrib's: the same names, keys and errors. Where the
// configuration allows, they also do their work on spans that travel as bytes, which then stay so.
//
//   - attributes and resource: actions insert, update, upsert and delete by key, with values that stand in the configuration.
//   - filter: trace_conditions and traces::span on spans, their resources and scopes, with error_mode ignore or silent.
//
// For anything else, and for other signals, contrib's own code works on decoded spans. Reason says why a configuration is such;
// package wirepath asks it before anything starts. What comes as bytes nevertheless is not taken, so that it is sent again, decoded.
//
// Its types are factory, editing (a processor) and edits (what it does on bytes). There are no locks.
package inplace
