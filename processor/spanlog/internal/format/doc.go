// Package format writes and reads the bytes of the span log's files, damaged ones too. It opens no file.
// docs/spanlog-format.md draws the formats.
//
// Its types are Header (of every file), Records (a segment's, read in place) and Position (a record's place in the order
// of a shard), Event (of a journal), Scanner (which reads a segment that may be damaged and yields each Found span) and
// Damage. There are no locks: the owner of the bytes guards them.
//
// Three stores are atomic, so that a process that is killed leaves a file in one state or the other: the magic, which
// says what a file is; the end of a segment's complete records; the length of a journal's names.
package format
