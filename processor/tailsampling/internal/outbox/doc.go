// Package outbox keeps the entries that some destination has not received, in the order of their decisions, and the position of
// each destination among them. It knows nothing of the contents of entries.
//
// Its types are Outbox (the entries, and a place among them for each destination), Place (what an entry embeds), Destination
// and Mask (a number, and a set of numbers), and Amount (how much there is). An Outbox belongs to one shard and is guarded
// by its mutex.
//
// # States
//
// An entry is in one state for each destination, whatever it is for the others.
//
//	from     event                  to       does
//	-------  ---------------------  -------  --------------------------------------------------------------------
//	–        Add                    waiting  is the last
//	waiting  Take                   taken    the destination's cursor moves to it; Next goes on behind it
//	taken    PutBack                waiting  the cursor moves before it: it is the next again
//	taken    Park                   parked   the cursor has passed it: it waits out of order
//	taken    Refuse                 parked   likewise, and it is not pending: it is retried on request only
//	parked   TakeParked             taken
//	waiting, Done                   done     leaves the backlog; Remove it when no destination waits
//	taken,
//	parked
//
// An entry that is not meant for a destination is done for it from the start.
//
// # Cost
//
// Except for PutBack, a cursor only moves forward, so that an entry costs each destination a constant number of steps unless it
// is put back. The cursor on an entry that is removed moves to a neighbor.
package outbox
