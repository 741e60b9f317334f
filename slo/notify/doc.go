// Package notify delivers alerts to receivers, at least once and under one key.
//
// A Delivery is one notice on its way to one receiver. Put adds it to the outbox, within the transaction that also
// advances the alert and the ledger, so a crash can neither lose nor double it. A Sender has a goroutine per receiver,
// which posts what is pending and records the outcome. The file is the truth: a Sender keeps nothing that a restart
// would miss.
//
// Rules:
//   - A delivery's idempotency key and body never change, so that a receiver can tell a repetition.
//   - Deliveries of one objective reach a receiver in order, each when the one before it is delivered or dead.
//     Different objectives do not wait for each other, and receivers never do.
//   - 2xx is delivered. 4xx is a dead letter, but for 408, 425 and 429: the receiver will not take it however often it
//     is asked. 401, 403, 404 and 407 are one when nothing else was answered for an hour: until then they may come from
//     a proxy in front of a receiver that is away. All else is tried again for ever: after 1 s, then twice as long each time up to 5 min, with jitter, and
//     not before a Retry-After. Redirects are not followed, since most would turn the POST into a GET.
//   - What was delivered or is dead is kept for 7 days, for people to look at.
package notify
