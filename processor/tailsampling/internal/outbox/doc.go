// Package outbox keeps the entries that some destination has not got in the order of their decisions, and knows where each
// destination is in them. It knows neither what is in an entry nor where its spans are.
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
//	–        Add                    waiting  stands at the end
//	waiting  Take                   taken    the destination's cursor moves to it; Next goes on behind it
//	taken    PutBack                waiting  the cursor moves before it: it is the next again
//	taken    PutAside               aside    the cursor has passed it: it waits out of order
//	taken    Refuse                 aside    so too, and it is not pending: nobody tries it until somebody asks
//	aside    TakeAside              taken
//	waiting, Done                   done     counts for the destination no more; Remove it when no destination waits
//	taken,
//	aside
//
// A destination for which an entry was never meant is done with it from the start.
//
// # Cost
//
// Every cursor only moves forward, but for PutBack, so that an entry costs each destination a constant number of steps for as
// long as nothing is put back. A cursor that stands on an entry that leaves moves to one of its neighbors.
package outbox
