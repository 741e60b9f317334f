// Package notify delivers alerts to receivers, at least once and under one key.
//
// A Delivery is one notice on its way to one receiver. Put adds it to the outbox, within the transaction that also
// advances the alert and the ledger, so a crash can neither lose nor double it. A Sender has a goroutine per receiver,
// which posts pending deliveries and records the outcomes. The file is the truth: a Sender keeps no state that a restart
// would lose.
//
// Rules:
//   - A delivery's idempotency key and body never change, so that a receiver recognizes a repetition.
//   - Deliveries of one objective reach a receiver in order, each when the one before it is delivered or dead.
//     Neither objectives nor receivers wait for each other.
//   - 2xx is delivered. 4xx is a dead letter, except for 408, 425 and 429: a retry would be refused too.
//     401, 403, 404 and 407 become one only after an hour in which every answer was one of these: until then they may come from
//     a proxy in front of a receiver that is down. All else is retried for ever: after 1 s, then twice as long each time up to 5 min, with jitter, and
//     not before a Retry-After. Redirects are not followed, since most would turn the POST into a GET.
//   - Delivered and dead deliveries are kept for 7 days, for people to look at.
package notify
