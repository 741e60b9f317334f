// Command mutate measures the tests: it makes random small mistakes in the product, mutants, and counts those that a test
// notices, which kills them.
//
//	cd tools && go run ./mutate -mutants 200 -seed 7
//
// Sites are drawn with equal chance from all files of the chosen packages but tests, generated ones, and packages whose
// name ends with test, which are helpers of tests. Operators:
// the boundary of a comparison, its negation, arithmetic, && and ||, the condition of an if, an integer literal by one, a
// statement (call, assignment, increment, defer) that is removed, a return of zero values, break and continue. Excluded
// are locks and unlocks, lines of the log, and constant declarations, which no run can switch.
//
// All mutants are compiled at once, each behind a switch that an environment variable turns (mutant schemata, Untch 1993),
// as an overlay: no file of the tree is touched. A candidate that does not compile is replaced by another. A run without
// a mutant tells which tests execute which mutant. A mutant that no test executes survives at once; else the tests of its
// own package that execute it run first, the quick ones before the others, then those of a few packages of the same folder
// or room that import it, for half a minute of tests at most. A failure, a crash, or five times the time without the
// mutant kills it.
//
// The steps, a file each: sites, check, schemata, suite, main.
package main
