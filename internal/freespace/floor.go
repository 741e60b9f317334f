package freespace

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/bytesize"
	"github.com/slowburn/slowburn/internal/clock"
)

// A Floor is unset where Min is 0: then it is a twentieth of the volume, and at most this.
const (
	defaultShare = 20
	defaultMost  = 1 << 30
)

// checkEvery is how often a Floor looks at the volume.
const checkEvery = time.Second

// Floor is how much of a volume's free space is left to the span log, which needs it to take spans at all. What can do without, such as
// stored traces and metrics, stops growing below it.
type Floor struct {
	// Directory is on the volume.
	Directory string
	// Min is how much is left, in bytes; 0 is 5 % of the volume, and at most 1 GiB.
	Min int64
	// look, if set, returns the volume's space; tests set it.
	look func(directory string) (Space, error)

	checked atomic.Int64 // when it was looked at last, Unix nanoseconds
	reached atomic.Pointer[Reached]
}

// Reached is an error: there is no more free space than what is left to the span log.
type Reached struct {
	Directory string
	Free, Min int64 // bytes
}

// Error says what to do. It does not say how much is free, so that it stays the same while that changes.
func (r *Reached) Error() string {
	return fmt.Sprintf("the volume of %s has less than %s free, which are left to the span log (min_free_disk): free space there, or use less of it",
		r.Directory, bytesize.About(r.Min))
}

// Check returns a *Reached where the floor is reached, nil where it is not or nobody knows. It looks at the volume once a second.
func (f *Floor) Check() error {
	now, last := clock.Now().UnixNano(), f.checked.Load()
	if (last == 0 || time.Duration(now-last) >= checkEvery || now < last) && f.checked.CompareAndSwap(last, now) {
		f.reached.Store(f.measure())
	}
	if r := f.reached.Load(); r != nil {
		return r
	}
	return nil
}

func (f *Floor) measure() *Reached {
	look := f.look
	if look == nil {
		look = Of
	}
	space, err := look(f.Directory)
	known := err == nil
	least := f.Min
	if least == 0 {
		least = min(space.Total/defaultShare, defaultMost)
	}
	if !known || space.Free >= least {
		return nil
	}
	return &Reached{Directory: f.Directory, Free: space.Free, Min: least}
}
