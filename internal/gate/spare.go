package gate

import (
	"os"
	"runtime"
	"sync"
	"time"
)

// lendAfter is how long what runs apart has to take before it gets a processor of its own: to change their number stops all goroutines
// for a moment, and most requests take less than this.
const lendAfter = 5 * time.Millisecond

// spares lends each thread that stands back a processor of Go's scheduler, which has as many as the machine otherwise. Such a thread gives
// its processor up once in 10 ms, and has it while the system lets other threads run; meanwhile spans of two processors have the
// other one, which they share with the garbage collector. With one to spare it is the system alone that says who runs, and it prefers
// those that do not stand back.
type spares struct {
	mu    sync.Mutex
	usual int // processors while none is lent
	lent  int
	extra int // processors beyond the usual: as many as were lent at once, until none is
}

// lend adds a processor, unless there is one to spare.
func (s *spares) lend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.extra == 0 {
		s.usual = runtime.GOMAXPROCS(0)
	}
	if s.lent++; s.lent > s.extra {
		s.extra = s.lent
		runtime.GOMAXPROCS(s.usual + s.extra)
	}
}

// giveBack takes back what lend lent.
func (s *spares) giveBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent--
}

// settle takes away what is to spare, once nothing is lent.
func (s *spares) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.extra == 0 || s.lent > 0 {
		return
	}
	s.extra = 0
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.SetDefaultGOMAXPROCS() // which follows the limit of a container again
	} else {
		runtime.GOMAXPROCS(s.usual)
	}
}

// processors is how many there are without those that are to spare.
func (s *spares) processors() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return runtime.GOMAXPROCS(0) - s.extra
}

// spare is of the process, as its processors are.
var spare spares
