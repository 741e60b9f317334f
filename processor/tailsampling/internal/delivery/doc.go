// Package delivery sends kept traces from the buffer to their destinations.
//
// Its types are Output (what all destinations share), Destination (what the senders to one share: how it answers, and what
// became of spans on the way), Sender (a goroutine that delivers the traces of its shards to one destination), load (traces
// that a sender took, copied from the log so that no lock is held while they are sent) and piece (traces of a load that are sent
// together), and Refused (the traces that were refused for good). What follows from an answer is package trial's table.
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
//	held     it fails alone while others are accepted     apart    aside
//	apart    its time has come, or the sender drains      held     taken
//	held     refused for good                             refused  aside
//	refused  somebody asks for it                         held     taken
//	held     refusal_patience is over                     given up done
//	ready,   refusal_patience is over, or the destination given up done
//	apart,   is over its share of delivery_budget
//	refused
//
// While it is held, spans that the destination has already are not sent again. Over a restart every state but done is ready.
//
// # Probes
//
// That traces fail again and again can be for them or for the destination. A sender that has nothing but such traces takes the
// next ones out of the log and tries these first: see Sender.probe.
//
// # Locks
//
// A shard's mutex is held while traces are taken and copied, and for a moment when they are settled. The mutexes of Refused and of
// what waits apart are locked alone, or inside of a shard's. The next component is called with none held.
package delivery
