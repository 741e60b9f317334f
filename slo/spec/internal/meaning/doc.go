// Package meaning finds out what a PromQL query counts, from the query alone: Counting accepts one that gives a number of events
// over {{.window}}, and refuses any other with the text to write.
//
// Its one type inside is the value: what a part of the query gives, which is one of these kinds.
//
//	number      a constant
//	events      the events of the window
//	perSecond   the events of the window, per second
//	level       what series say at a moment: a gauge, or a counter since it began
//	share       a part of the events, from 0 to 1, as histogram_fraction() gives it
//
// Rules: events add up over series, and over minutes, so only what is linear in them is accepted: sums, differences and constant
// factors. rate() and irate() are read as increase(), which is their product with the window's seconds; irate() then counts the events
// between all samples, not between the last two. A query is judged by its functions, ranges and metric names, as nothing else is known
// when the configuration is read.
package meaning
