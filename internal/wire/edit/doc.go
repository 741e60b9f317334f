// Package edit writes a scanned request again with other attributes, or without some of its spans. No span is decoded, and what was
// written need not be scanned.
//
// Its types are Actions (changes to attributes, one after the other, as contrib's attributes and resource processors have them),
// Edit (what is to become of a request) and Writer (the request that came of it, and its memory).
//
// A Writer is for one goroutine. Actions and Edit do not change once they are made. There are no locks.
package edit
