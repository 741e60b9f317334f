// Package trial says what becomes of traces after what a destination answered to them. It is pure: it knows neither the traces
// nor the destination.
//
// Its types are Trial (what the same traces drew so far) and Verdict (what becomes of them). There are no locks.
//
// # Verdicts
//
// The classes of answers are those of package answer. "Others accepted" is that the destination accepted other traces since
// these failed first, or were parted from others, and within the last minute (RecentAge).
//
//	answer           traces   others accepted  verdict
//	---------------  -------  ---------------  -------------------------------------------------------------------------
//	Accepted                                   Delivered
//	Data, TooLarge   several                   Halve
//	Data, TooLarge   one                       Refused
//	Retry, up to 4   several                   Again
//	Retry, up to 4   one      no               Again, and suspect
//	Retry, up to 4   one      yes              Park
//	Retry, 5th on             no               Again, and stuck
//	Retry, 5th on    several  yes              Halve
//	Retry, 5th on    one      yes              Apart
//	Gateway                                    Again
//	Either, up to 2  several                   Again
//	Either, up to 2  one      no               Again, and suspect
//	Either, up to 2  one      yes              Park
//	Either, 3rd on            no               Again, and stuck
//	Either, 3rd on   several  yes              Halve
//	Either, 3rd on   one      yes              Refused
//
// Before suspect or stuck traces are sent again, others are to be tried, a trace at a time: only these can tell whether it is for
// the traces or for the destination.
//
// Answers of class Either count in a row. Half of what several traces drew counts for each half, so that it is halved again at
// the next such answer; one trace alone begins anew, for it is to be judged by what it drew alone.
package trial
