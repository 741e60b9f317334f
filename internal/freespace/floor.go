package freespace

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/units"
)

// A Floor whose Min is 0 is a twentieth of the volume, but at most this.
const (
	defaultShare = 20
	defaultMost  = 1 << 30
)

// checkEvery is the interval at which a Floor looks at the volume.
const checkEvery = time.Second

// Floor is the free space of a volume that is left to the span log, which needs it to accept spans. Other data, such as stored traces
// and metrics, stops growing below it.
type Floor struct {
	// Directory is a directory on the volume.
	Directory string
	// Min is the number of bytes to leave; 0 is 5 % of the volume, and at most 1 GiB.
	Min int64
	// look, if set, returns the volume's space; tests set it.
	look func(directory string) (Space, error)

	checked atomic.Int64 // time of the last look, Unix nanoseconds
	reached atomic.Pointer[Reached]
}

// Reached is the error that only the space for the span log is left.
type Reached struct {
	Directory string
	Free, Min int64 // bytes
}

// Error says what to do. It leaves the free space out, so that the text does not change with it.
func (r *Reached) Error() string {
	return fmt.Sprintf("the volume of %s has less than %s free, which is reserved for the span log (min_free_disk): free space there, or lower min_free_disk",
		r.Directory, units.About(r.Min))
}

// Check returns a *Reached if the floor is reached, nil if it is not or if that is unknown. It looks at the volume once a second.
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
