package gate

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// niceness is how far costly work stands back behind spans: among the threads of one container it gets a tenth of what one of theirs
// gets while both want to run, and all that they leave. Further back it could keep the garbage collector waiting, which stops all
// threads now and then.
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
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), niceness) // where it may not, it runs as before
		f()
	}()
	if p := <-done; p != nil {
		panic(p)
	}
}
