// Package inplace has the processors attributes, resource and filter. They are contrib's: the same names, keys and errors. Where the
// configuration allows, they also do their work on spans that travel as bytes, which then stay so.
//
//   - attributes and resource: actions insert, update, upsert and delete by key, with values that stand in the configuration.
//   - filter: trace_conditions and traces::span on spans, their resources and scopes, with error_mode ignore or silent.
//
// For anything else, and for other signals, contrib's own code works on decoded spans. Reason returns why a configuration needs
// decoded spans; package wirepath calls it before anything starts. Spans that come as bytes nevertheless are not taken, so that they
// are sent again, decoded.
//
// Its types are factory, editing (a processor) and edits (what it does on bytes). There are no locks.
package inplace
