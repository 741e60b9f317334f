// Package budget keeps the buffer within memory_budget and disk_budget, and undelivered traces within delivery_budget: it shrinks segments,
// evicts traces that were not sampled, decides others early, and lets destinations give up traces.
//
// Its types are Budget (makes room, in a fixed order), Settings, and Backlogs (enforces delivery_budget). One table below has all marks. A
// Budget may be used concurrently; one goroutine makes room, and under a shard's mutex it neither reads files nor takes longer than a few
// traces need.
package budget

// The marks: at which share of a budget what happens.
//
//	share  of what         what happens from it on
//	-----  --------------  ------------------------------------------------------------------------------------------
//	0.60   disk_budget     traces that were not sampled leave before the end of revive_window, oldest first; with storage memory
//	                       that is of memory_budget (ReviveUpTo). They leave, too, when they have more than revive_budget
//	0.65   memory_budget   segments stop leaving memory (shrinkTo)
//	0.75   memory_budget   full segments leave memory, compressed or as the files that they are (shrinkFrom)
//	0.85   either budget   relief ends (reliefTo)
//	0.90   either budget   relief: traces that were not sampled leave, segments are compacted, compressed on disk, and
//	                       undecided traces are decided early, boring ones first, those with errors last (reliefFrom)
//	1.00   either budget   spans are refused (spanlog.Pool.Reserve)
const (
	ReviveUpTo = 0.60
	shrinkTo   = 0.65
	shrinkFrom = 0.75
	reliefTo   = 0.85
	reliefFrom = 0.90
)

// denseEnough is the share of live spans from which on a segment is not compacted in a relief.
const denseEnough = 0.75

// sparseEnough is the share of live spans up to which a segment on disk is compacted while the disk is not short. The log compacts
// segments in memory at the same share (spanlog.Log).
const sparseEnough = 0.125
