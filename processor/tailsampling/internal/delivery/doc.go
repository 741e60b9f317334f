// Package delivery sends kept traces from the buffer to their destinations.
//
// Its types are Output (what all destinations share), Destination (what the senders to one share: how it answers, and what
// became of spans on the way), Sender (a goroutine that delivers the traces of its shards to one destination), load (traces
// that a sender took, copied from the log so that no lock is held while they are sent), piece (traces of a load that are sent
// together), work (the pieces that a sender delivers), waiting (the traces that wait out of order), Refused (the traces that a
// destination refused for good), and shelf (loads of senders of the same shards, for other destinations to copy from). What is
// written on traces is package dress's, what follows from an answer package trial's table.
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
//	refused  somebody asks for it                         held     taken
//	held     refusal_patience is over                     given up done
//	ready,   refusal_patience is over, or the destination given up done
//	waiting, is over its share of delivery_budget
//	apart,
//	refused
//
// While it is held, spans that the destination has already are not sent again, and a trace of which it has some fails alone five
// times in a row before it lets go of them. Over a restart every state but done is ready.
//
// # Large traces
//
// A trace that is larger than a load, with its resources and scopes, is a load of its own. Before it is read it takes a share of
// what all senders may have of such at a time (package quota), and gives it back when it is settled. A destination that has no
// share gets one in any case, so that a slow one keeps no other out. Who waits for a share delivers what other shards have
// meanwhile, and is woken. See large.go.
//
// # Probes
//
// That traces fail again and again can be for them or for the destination. Only others can tell, so that a sender then tries one
// trace alone, another one each time, at the pace of its back-off. A destination that takes nothing gets little; where it is for
// the traces, one of the others is accepted soon, and from then on pieces are halved until the bad traces are alone. See probe.go.
//
// What waits and is due takes turns with loads from the log, a trace for a load: so it holds up the log by one call at most.
//
// # Locks
//
// A shard's mutex is held while traces are taken and copied, and for a moment when they are settled. The mutexes of Refused and of
// what waits apart, and of a shelf, are locked alone, or inside of a shard's. The next component is called with none held.
package delivery
