// Package delivery sends kept traces from the buffer to their destinations.
//
// Its types are Output (all destinations), Destination (the state that the senders to one share: its answers, and counts of
// spans), Sender (a goroutine that delivers the traces of its shards to one destination), load (traces that a sender took,
// copied from the log so that no lock is held while they are sent), piece (traces of a load that are sent together), work (the
// pieces that a sender delivers), waiting (traces that wait out of order), Refused (traces that a destination refused for good),
// and shelf (loads of senders of the same shards, for other destinations to copy from). Package dress writes the decision on
// traces, and package trial has the table of what follows from an answer.
//
// # States
//
// A trace is in one state for each destination:
//
//	from     event                                        to       in the log (package outbox)
//	-------  -------------------------------------------  -------  ---------------------------
//	ready    a sender has room for it                     held     taken
//	held     accepted                                     –        done
//	held     an answer after which it is tried again      held     taken
//	held     it fails alone while others are accepted     waiting  aside
//	held     so for the fifth time                        apart    aside
//	held     all in hand fail alone, and there are more   apart    aside
//	waiting, its time has come, or the sender drains      held     taken
//	apart
//	apart    there are too many                           given up done
//	held     refused for good                             refused  aside
//	refused  retry on request                             held     taken
//	held     refusal_patience is over                     given up done
//	ready,   refusal_patience is over, or the destination given up done
//	waiting, is over its share of delivery_budget
//	apart,
//	refused
//
// While a trace is held, spans that the destination has already are not sent again; a partly accepted trace is put aside only after
// it has failed alone five times in a row. A restart turns every state but done into ready.
//
// # Large traces
//
// A trace that is larger than a load, with its resources and scopes, is a load of its own. Before it is read it takes a share of
// the memory for large traces of all senders (package quota), and returns it when it is settled. A destination without a share
// always gets one, so that a slow destination does not block others. A sender that waits for a share delivers traces of other
// shards meanwhile, and is woken. See large.go.
//
// # Probes
//
// If traces fail again and again, the cause may be the traces or the destination. Only other traces show which, so a sender then
// tries single traces, another one each time, at the pace of its back-off. A destination that accepts nothing gets little by this;
// if the traces are the cause, one of the others is accepted soon, and from then on pieces are halved until the bad traces are
// alone. See probe.go.
//
// Waiting traces that are due take turns with loads from the log, one trace per load, and so delay the log by one call at most.
//
// # Locks
//
// A shard's mutex is held while traces are taken and copied, and for a moment when they are settled. The mutexes of Refused, of
// waiting and of a shelf are locked alone, or inside of a shard's. The next component is called without any lock.
package delivery
