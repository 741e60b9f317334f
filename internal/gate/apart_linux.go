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

// niceness is how far costly work stands back behind spans, from where the process stands: among the threads of one container it gets
// a tenth of what one of theirs gets while both want to run, and all that they leave. Further back it could keep the garbage collector
// waiting, which stops all threads now and then.
const niceness = 10

// apart runs f on a thread of its own that stands back, and ends with f, as a thread without privileges cannot come forward again.
// Threads that the runtime starts meanwhile do not inherit it. A panic of f becomes one of apart, with where it was.
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

// await returns what ends the work that is done apart, which it lends a processor where that takes long.
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

// own is the niceness that the process was started with. Later its first thread may be one that stands back.
var own = ownNiceness()

func ownNiceness() int {
	priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0
	}
	return 20 - priority // the system call returns 20 less the niceness
}

// standBack has the calling thread stand back. Where it may not, it runs as before.
func standBack() {
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), min(own+niceness, 19))
}
