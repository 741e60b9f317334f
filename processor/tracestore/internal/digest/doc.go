// Package digest summarises traces: a Maker makes a Digest of each, with a Summary for people, the terms of the index, and
// its Operations. Header is the part that is stored with the trace. All of it is pure.
package digest
