// Package parts stores which services, operations, versions and reasons the events of each objective came from: integers per
// objective, minute and part, in bbolt, beside the ledger's totals.
//
// A Part names where an event came from. A Delta is what was read of one part and minute. A Store is the buckets within one bbolt
// transaction, the ledger's own, so that neither is ever ahead of the other. A Breakdown answers which parts burned the budget.
//
// Rules:
//   - The parts of a minute add up to the minute's total and bad events in the ledger, exactly. Where rounding takes an event from
//     one part it is owed to it in the next minute. Events of no known part are booked under Other.
//   - A part has a row of all its events, without a reason, and a row of bad events for each reason. Both are folded together: the
//     error ratio of a part compares events of the same minutes.
//   - An objective has at most maxGroups combinations of service, version and operation per hour, and maxReasons rows of bad events.
//     Those with the fewest bad events, then the fewest events, are folded: their operation becomes Other, then their version, then
//     their service. A combination is folded only once all below it is, so a version that has a row has all its events in it.
//   - Minutes are kept for MinutesKept, then they become hours. Room (package room of the engine) may shorten that.
//   - A clock that was set back moves parts as it moves the ledger's minutes.
//
// # Format
//
//	bucket ledger_part_minutes   hour ‖ account ID → table of 60 minutes
//	bucket ledger_part_hours     day ‖ account ID → table of 24 hours
//
//	hour, day, account ID        4 bytes each, big endian, as in the ledger; a day is 24 hours since the Unix epoch
//	table                        1 byte format (1)
//	                             uvarint number of texts, each: uvarint length ‖ bytes
//	                             uvarint number of rows, sorted by part, each:
//	                               uvarint × 4: the texts of service, version, operation, reason
//	                               1 byte flags: 1 bad events, 2 with a rest
//	                               varint rest, in 1024ths of an event, if flagged
//	                               uvarint first slot, uvarint number of slots; zeros at both ends are left out
//	                               uvarint least count, 1 byte width in bits
//	                               the counts above the least, of so many bits each, lowest bit first; padded to a byte
package parts
