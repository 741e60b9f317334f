// Package digest sums traces up: a Maker makes of each a Digest, which is a Summary for people, the terms that the trace is
// found by, and its Operations. Header is the part of it that is stored with the trace. All of it is pure.
package digest
