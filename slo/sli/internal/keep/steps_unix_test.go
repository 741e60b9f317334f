//go:build unix

package keep

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/place"
	"github.com/slowburn/slowburn/slo/sli/internal/repeats"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// crashes is a process with a place that fails on demand. It may end at each step that stores something: the files that a kill
// would leave there are copied and restored.
type crashes struct {
	t    *testing.T
	rng  *rand.Rand
	path string
	k    *Keeper

	// refuse makes the log refuse records, broken makes storing fail, and cut is the number of a snapshot's records after which
	// storing fails; during is called before each record of a snapshot.
	refuse, broken bool
	unsettled      bool // the new snapshot is not flushed to disk, so the one before stays
	cut            int
	during         func()

	requests []sent
	made     int
	told     map[string]int64 // emitted calls by operation, under the name
	name     string
	steps    int
}

// sent is a request with spans of one operation, acknowledged or in flight; in flight it waits for refused.
type sent struct {
	id           count.RequestID
	operation    string
	spans        int
	refused      uint64
	acknowledged bool
}

var (
	stepLimits     = count.Limits{Services: 1000, Operations: 1000, Versions: 2, Reasons: 3}
	stepObjectives = []slo.Objective{{Name: "all", Indicator: slo.Indicator{Type: slo.Availability}}}
	errBroken      = errors.New("the disk is broken")
)

type steppingPlace struct {
	place.Place
	c *crashes
}

type steppingLog struct {
	place.Generation
	c      *crashes
	sealed bool
}

func (p steppingPlace) Begin(room int) (place.Generation, error) {
	if p.c.broken {
		return nil, errBroken
	}
	defer p.c.step("begun")
	g, err := p.Place.Begin(min(room, 1<<16)) // copied at each step
	return &steppingLog{Generation: g, c: p.c}, err
}

func (g *steppingLog) Append(record []byte) bool {
	if g.sealed = g.sealed || g.c.refuse; g.sealed {
		return false
	}
	defer g.c.step("appended")
	return g.Generation.Append(record)
}

func (g *steppingLog) Mark() bool {
	if g.sealed {
		return false
	}
	defer g.c.step("marked")
	return g.Generation.Mark()
}

func (g *steppingLog) Fill() float64 {
	if g.sealed {
		return 1
	}
	return g.Generation.Fill()
}

func (g *steppingLog) Commit(snapshot func(write func([]byte) error) error) (int64, error) {
	before, files := g.c.directory()
	written := 0
	bytes, err := g.Generation.Commit(func(write func([]byte) error) error {
		return snapshot(func(record []byte) error {
			if g.c.during != nil {
				g.c.during()
			}
			if written++; g.c.cut > 0 && written >= g.c.cut {
				return errBroken
			}
			return write(record)
		})
	})
	if err == nil {
		g.c.partly(before, files)
	}
	g.c.step("committed")
	return bytes, err
}

func (g *steppingLog) Sync() error {
	defer g.c.step("settled")
	if g.c.unsettled {
		return errBroken // the kernel writes its pages to disk at some other time
	}
	return g.Generation.Sync()
}

func (g *steppingLog) Abandon() error {
	g.c.step("abandoning")
	defer g.c.step("abandoned")
	return g.Generation.Abandon()
}

func (g *steppingLog) Close() error {
	defer g.c.step("closed")
	return g.Generation.Close()
}

// directory reads the present files.
func (c *crashes) directory() (names []string, files [][]byte) {
	c.t.Helper()
	names, err := filepath.Glob(filepath.Join(c.path, "*.counts"))
	require.NoError(c.t, err)
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(c.t, err)
		files = append(files, b)
	}
	return names, files
}

// partly restores the files in the middle of a commit: the snapshot without its head, and with the head but without the state.
// The log is as at the end.
func (c *crashes) partly(before []string, was [][]byte) {
	names, files := c.directory()
	require.Equal(c.t, before, names)
	last := len(files) - 1
	const snapshotAt, markAt = 1024, 2048 // place/format.go draws these offsets
	whole := append([]byte(nil), files[last]...)
	copy(files[last][markAt:], was[last][markAt:markAt+8])
	c.check("the head of the snapshot stored", names, files)
	copy(files[last][snapshotAt:], was[last][snapshotAt:snapshotAt+24])
	c.check("the snapshot stored", names, files)
	room := binary.LittleEndian.Uint64(whole[32:])
	files[last] = files[last][:4096+int(room)+(len(whole)-4096-int(room))/2]
	c.check("half of the snapshot stored", names, files)
}

// step restores the present files.
func (c *crashes) step(what string) {
	names, files := c.directory()
	c.check(what, names, files)
}

// check restores a copy of the files, and checks law 1.
func (c *crashes) check(what string, names []string, files [][]byte) {
	c.t.Helper()
	c.steps++
	said := c.k != nil && c.k.Volatile() != nil
	path, err := os.MkdirTemp(c.path, "left")
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, os.RemoveAll(path)) }()
	for i, name := range names {
		require.NoError(c.t, os.WriteFile(filepath.Join(path, filepath.Base(name)), files[i], 0o600))
	}
	d, err := place.Open(path, "sli")
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, d.Close()) }()
	requests := map[count.RequestID]bool{}
	found := count.Restored{Request: func(id count.RequestID, _ int64) { requests[id] = true }}
	next := count.New(stepLimits, stepObjectives, func(count.RequestID, int64) {})
	left, err := d.Recover(func(record []byte) error { return next.Restore(record, &found) })
	require.NoError(c.t, err, what)
	if left.Lost != "" {
		require.True(c.t, said || len(c.requests) == 0 || !c.anyAcknowledged(), "%s: lost without a word: %s", what, left.Lost)
		return
	}
	next.Restored()
	counted, known := callsByOperation(next), map[string]int64{}
	for _, r := range c.requests {
		if r.acknowledged && !said {
			require.True(c.t, requests[r.id], "%s: a request of %s was acknowledged", what, r.operation)
		}
		if requests[r.id] {
			known[r.operation] += int64(r.spans)
		}
	}
	maps.DeleteFunc(counted, func(_ string, n int64) bool { return n == 0 }) // series that were born and never counted
	require.Equal(c.t, known, counted, "%s: what is known as counted is counted, and nothing else: that will be sent again", what)
	if found.Name == c.name {
		for operation, n := range c.told {
			require.GreaterOrEqual(c.t, counted[operation], n, "%s: %s went back under its name", what, operation)
		}
	}
}

func (c *crashes) anyAcknowledged() bool {
	for _, r := range c.requests {
		if r.acknowledged {
			return true
		}
	}
	return false
}

func callsByOperation(c *count.Counter) map[string]int64 {
	c.ReadEvents(nil, 0) // folds
	points := make([]count.CallPoint, 5000)
	calls := map[string]int64{}
	for _, p := range points[:c.ReadCalls(points, 0, 0)] {
		n, _ := p.N.Integer()
		calls[p.Series.Operation()] += n
	}
	return calls
}

// start begins a process whose turns the test makes.
func (c *crashes) start() {
	k, err := Start(Settings{
		Open: func() (place.Place, error) {
			if c.broken {
				return nil, errBroken
			}
			p, err := place.Open(c.path, "sli")
			return steppingPlace{p, c}, err
		},
		Limits: stepLimits, Objectives: stepObjectives, Window: repeats.New(time.Hour, 1<<20),
		Name: func() string { return fmt.Sprint("name ", c.steps) }, Logger: zap.NewNop(),
	})
	require.NoError(c.t, err)
	k.stop()
	k.loop.Wait()
	c.k = k
	c.named()
}

func (c *crashes) named() {
	if c.name != c.k.Name() {
		c.name, c.told = c.k.Name(), map[string]int64{}
	}
}

// count sends a request. It is in flight until records that its log refused are stored, as with Await.
func (c *crashes) count() {
	c.made++
	n := len(c.requests) + 1
	r := sent{id: count.RequestID{Low: uint64(c.made), High: 1}, operation: fmt.Sprint("operation ", c.made), spans: 1 + c.rng.IntN(3)}
	if n > 3 && c.rng.IntN(2) == 0 {
		r.operation = c.requests[n-2-c.rng.IntN(3)].operation // perhaps one whose record a log refused
	}
	var spans []slitest.Span
	for range r.spans {
		spans = append(spans, slitest.Span{Service: "a", Name: r.operation, Kind: ptrace.SpanKindServer,
			Status: ptrace.StatusCode(c.rng.IntN(3)), Duration: time.Duration(c.rng.IntN(1e9))})
	}
	c.requests = append(c.requests, r)
	r.refused = c.k.Counter().Count(slitest.Request(c.t, slitest.Traces(c.t, spans...)), r.id, time.Now().UnixMilli()).Refused
	c.requests[n-1] = r
	c.acknowledge()
}

// acknowledge answers the requests whose wait has ended.
func (c *crashes) acknowledge() {
	for i, r := range c.requests {
		if r.refused == 0 || c.k.counter.IsKept(r.refused) || c.k.Volatile() != nil {
			c.requests[i].acknowledged = true
		}
	}
}

// flush emits all counts, if they are secured.
func (c *crashes) flush() {
	c.k.Flush(time.Now().UnixMilli(), func() {
		c.k.counter.ReadEvents(nil, 0) // folds
		unkept := c.k.counter.Unlogged()
		if c.k.Volatile() == nil && unkept != 0 && !c.k.counter.IsKept(unkept) || !c.k.current.mark() {
			return // AwaitMarked waits
		}
		maps.Copy(c.told, callsByOperation(c.k.Counter()))
	})
}

// turn does what the loop of a Keeper does when a turn is due.
func (c *crashes) turn() {
	c.k.turning.Lock()
	if c.k.current.generation == nil {
		c.k.tryAgain()
	} else if err := c.k.turn(); err != nil {
		c.k.abandon(err)
	}
	c.k.turning.Unlock()
	c.acknowledge()
}

// TestCrashAtEachStep checks law 1 over a crash at each step that stores something: an acknowledged request is counted once; one
// in flight is counted and known as counted, or neither; and no counter decreases under its name. Logs fill up and disks fail at
// any moment, and requests arrive while snapshots are written.
func TestCrashAtEachStep(t *testing.T) {
	steps := 0
	for seed := range uint64(6) {
		c := &crashes{t: t, rng: rand.New(rand.NewPCG(seed, 7)), path: t.TempDir()}
		c.start()
		for range 60 {
			switch c.rng.IntN(9) {
			case 0:
				c.refuse = true // the log is full
				c.count()
				c.flush()
				c.refuse = false
			case 1, 2:
				inFlight := 2
				c.during = func() {
					if inFlight > 0 && c.rng.IntN(3) == 0 {
						inFlight--
						c.count()
					}
				}
				c.unsettled = c.rng.IntN(3) == 0
				c.turn()
				c.during, c.unsettled = nil, false
			case 3:
				c.flush()
			case 4:
				if c.rng.IntN(3) > 0 {
					break
				}
				c.cut, c.broken = 1+c.rng.IntN(20), c.rng.IntN(2) == 0
				c.turn()
				c.count()
				c.flush()
				c.cut, c.broken = 0, false
				c.turn()
			case 5:
				if c.rng.IntN(4) > 0 || c.k.Volatile() != nil {
					break
				}
				require.NoError(t, c.k.Close())
				c.acknowledge()
				c.k = nil
				c.start()
				c.forget()
			default:
				c.count()
			}
		}
		require.NoError(t, c.k.Close())
		steps += c.steps
	}
	t.Log(steps, "steps")
	assert.Greater(t, steps, 1000)
}

// forget drops requests that the previous process did not answer: their senders would repeat them.
func (c *crashes) forget() {
	requests := map[count.RequestID]bool{}
	require.NoError(c.t, c.k.set.Window.All(time.Now().UnixMilli(), func(id count.RequestID, _ int64) error {
		requests[id] = true
		return nil
	}))
	c.requests = slices.DeleteFunc(c.requests, func(r sent) bool { return !requests[r.id] })
}
