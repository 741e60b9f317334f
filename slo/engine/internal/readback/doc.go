// Package readback reads the past of a PromQL objective, which is new or counts something else, from the database.
//
// A Task is what is stored: which minutes are to be read, and what came of it. A Job is a task that is being read, in memory, newest
// minutes first, so that what it has when it cannot go on is next to what was counted since. It is stateless but for that: a restart begins
// the job anew, and the ledger changes once, when the job is done.
package readback
