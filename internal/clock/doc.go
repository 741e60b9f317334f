// Package clock is the one source of wall and monotonic time in the process. Its functions and types have the shape of
// package time, whose inlined calls they are in the ordinary build. Code of the product takes the time from here alone.
//
// Instants have types of their own where a mistake of unit would be silent: Monotonic, UnixMilli, and Epoch, which holds
// one against the other.
//
// # The guard
//
// Guard is a wall clock with doubts, and Wall is the time that the process's guard believes. Code that stamps or deletes data uses Wall,
// and deletes only while Look says that the clock is stable. Code that measures durations uses Now.
//
// A believed clock is confirmed once it has stayed where it is for 15 min, or once others agree with it: then code that looks far
// ahead or back, such as evaluation, may follow it. It is stable when it has stayed where it is for 5 min. At the start of a process
// it is neither; it is believed unless something of ours is newer.
//
//	from      event                                                       to
//	--------  ----------------------------------------------------------  --------
//	believed  the machine's clock and the monotonic one part by > 2 min   doubted
//	          within 15 min, at once or in small steps
//	believed  something of ours is newer than the clock (NotBefore)       doubted
//	doubted   the clock is back within 2 min of what is believed          believed
//	doubted   it stayed where it is for 15 min                            believed
//	doubted   since the start, and it is set to after what is ours        believed
//	doubted   the median of five processes' latest spans agrees with it   believed
//	doubted   it jumps again                                              doubted, from then on
//
// # The test clock
//
// Built with -tags testclock, the process reads how its clock runs from the JSON file that the environment variable
// SLOWBURN_TEST_CLOCK names:
//
//	{"offset": "25h", "rate": 60}
//
// The keys:
//
//   - rate is the pace of both clocks, a positive number, 1 where it is left out: at 60 a timer of a minute fires after
//     a second.
//   - offset moves the wall clock by a duration, 0 where it is left out. It is a jump, as when somebody sets the
//     machine's clock: Now shows it, Since and Sub between two readings of Now do not, timers do not fire for it. Wall doubts it like one.
//   - since is the machine's time, in RFC 3339, at which the clock began to run at rate, the start of the process where it is left
//     out. Only a start reads it: processes with the same file show the same time, however long each takes to start.
//
// The file is read every 5 ms. A change takes effect at once, also for timers that are waiting. The monotonic clock is
// continuous over changes of rate. A file that cannot be read or parsed ends the process at its start; later the last
// good settings stay, and the problem goes to stderr. Without since each process counts from its own start: one
// that is restarted shows the machine's time plus offset again. Without the variable the clock is the machine's.
//
// Libraries, the Collector's among them, keep the machine's clock, and so do deadlines of contexts, which bound calls to
// peers and computations: these take as long as they take, at any rate.
//
// All functions may be called concurrently. The test clock has one mutex, which is held for a reading, for starting or
// stopping a timer, and while settings change; never while a function of AfterFunc runs.
package clock
