package gate

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"github.com/slowburn/slowburn/internal/clock"
)

// niceness is added to the process's niceness for costly work. The threads of such work get a tenth of the CPU that the span path's
// threads get while both want to run, and all that is left over. A higher value could delay the garbage collector, which sometimes
// stops all threads.
const niceness = 10

// apart runs f on a thread with lower priority that ends with f, because a thread without privileges cannot raise its priority
// again. Threads that the runtime starts meanwhile do not inherit it. A panic of f becomes a panic of apart, with its stack.
func apart(f func()) {
	done := make(chan any, 1)
	go func() {
		runtime.LockOSThread() // and never unlocks
		defer func() {
			p := recover()
			if err, ok := p.(error); p != nil && (!ok || !errors.Is(err, http.ErrAbortHandler)) {
				p = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
			done <- p
		}()
		standBack()
		f()
	}()
	if p := await(done); p != nil {
		panic(p)
	}
}

// await waits for the work that runs apart and returns its result. Work that takes long is lent a processor.
func await(done <-chan any) any {
	timer := clock.NewTimer(lendAfter)
	defer timer.Stop()
	select {
	case p := <-done:
		return p
	case <-timer.C:
	}
	spare.lend()
	defer spare.giveBack()
	return <-done
}

// own is the niceness that the process was started with. Later its first thread may be one with lower
// priority.
var own = ownNiceness()

func ownNiceness() int {
	priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0
	}
	return 20 - priority // the system call returns 20 less the niceness
}

// standBack lowers the priority of the calling thread. If that is not allowed, the thread runs as before.
func standBack() {
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), min(own+niceness, 19))
}
