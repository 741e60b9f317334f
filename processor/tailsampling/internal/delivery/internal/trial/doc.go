// Package trial says what becomes of traces after what a destination answered to them. It is pure: it knows neither the traces
// nor the destination.
//
// Its types are Trial (what the same traces drew so far) and Verdict (what becomes of them). There are no locks.
//
// # Verdicts
//
// The classes of answers are those of package answer. "Others accepted" is that the destination accepted other traces within
// the last minute (Recently).
//
//	answer           traces   others accepted  verdict
//	---------------  -------  ---------------  -------------------------------------------------------------------------
//	Accepted                                   Delivered
//	Data, TooLarge   several                   Halve
//	Data, TooLarge   one                       Refused
//	Retry, up to 4                             Again
//	Retry, 5th on    several  yes              Halve
//	Retry, 5th on    one      yes              Apart
//	Retry, 5th on             no               Again, and the traces are stuck: others are to be tried
//	Gateway                                    Again
//	Either, up to 2                            Again
//	Either, 3rd on   several                   Halve
//	Either, 3rd on   one      yes              Refused
//	Either, 3rd on   one      no               Again, and stuck; the destination is taken for one that refuses the gateway
//
// Answers of class Either count in a row. Half of what several traces drew counts for each half, so that it is halved again at
// the next such answer; one trace alone begins anew, for it is to be judged by what it drew alone.
package trial
