package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
)

// startOn runs a processor whose files are flushed by the test's function.
func startOn(t *testing.T, cfg *Config, next *sink, disk func(flush func() error) error) *Sampler {
	t.Helper()
	p, err := newSamplerForTest(cfg)
	require.NoError(t, err)
	p.output.Next = next
	flush := p.fsync
	p.fsync = func() error { return disk(flush) }
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	p.store.Wait()
	return p
}

var errInput = errors.New("input/output error")

// With fsync always spans are refused, with the reason, while the disk cannot be flushed, and accepted again afterwards.
// No span that was sent again is delivered twice.
func TestFailingFsyncRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(diskConfig())
		cfg.Fsync = fsyncAlways
		var next sink
		var broken atomic.Bool
		p := startOn(t, cfg, &next, func(flush func() error) error {
			if broken.Load() {
				return errInput
			}
			return flush()
		})
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 3, false)...)))
		broken.Store(true)
		for range 2 {
			err := wireDoor(t, p, request(newTrace(2, 3, false)...))
			require.ErrorContains(t, err, "input/output error: send again later; spans are accepted as soon as the disk is")
			require.False(t, consumererror.IsPermanent(err))
			require.Equal(t, codes.Unavailable, consumererror.ToGRPCStatus(err).Code())
		}
		health := p.Probe(t.Context())
		assert.True(t, !health.OK && health.Blocking, health.Message)
		assert.Contains(t, health.Message, "input/output error")
		assert.Equal(t, int64(6), p.refusals.For(refuse.Disk))

		broken.Store(false)
		require.NoError(t, wireDoor(t, p, request(newTrace(2, 3, false)...)))
		time.Sleep(time.Minute)
		assert.True(t, p.Probe(t.Context()).OK)
		assert.Equal(t, 6, next.spans())
		assert.EqualValues(t, 6, p.output.Repeated.Load())
		shutdown(t, p)
	})
}

// With fsync interval no span is refused, and health reports while a power cut would lose spans.
func TestFailingFsyncAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(diskConfig())
		cfg.Fsync, cfg.DecisionWait = fsyncInterval, time.Hour
		var next sink
		var broken atomic.Bool
		p := startOn(t, cfg, &next, func(flush func() error) error {
			if broken.Load() {
				return errInput
			}
			return flush()
		})
		broken.Store(true)
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 3, false)...)))
		time.Sleep(cfg.FsyncInterval * 3 / 2)
		health := p.Probe(t.Context())
		assert.True(t, !health.OK && !health.Blocking, health.Message)
		assert.Equal(t, "spans would not survive a power cut: input/output error", health.Message)
		broken.Store(false)
		time.Sleep(cfg.FsyncInterval)
		assert.True(t, p.Probe(t.Context()).OK)
		shutdown(t, p)
		assert.Equal(t, 3, next.spans())
	})
}

// A slow disk delays only the requests that wait for it, for requestTime at most: decisions and deliveries go on.
func TestSlowFsync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(diskConfig())
		cfg.Fsync = fsyncAlways
		var next sink
		var slow atomic.Int64
		p := startOn(t, cfg, &next, func(flush func() error) error {
			time.Sleep(time.Duration(slow.Load()))
			return flush()
		})
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 3, false)...)))
		slow.Store(int64(time.Minute))

		began := time.Now()
		answered := make(chan error, 1)
		go func() { answered <- pdataDoor(t, p, request(newTrace(2, 3, false)...)) }()
		hasty, cancel := context.WithTimeout(t.Context(), requestTime/2)
		defer cancel()
		err := p.ConsumeTraces(hasty, request(newTrace(3, 3, false)...))
		require.Equal(t, context.DeadlineExceeded, err)
		assert.Equal(t, requestTime/2, time.Since(began))
		assert.Zero(t, p.refusals.All(), "the disk is slow, and has refused nothing")
		health := p.Probe(t.Context())
		assert.True(t, health.OK, health.Message)

		time.Sleep(cfg.DecisionWait - requestTime/2 + lateness + gatherFor) // decided in two runs, delivered in two batches
		synctest.Wait()
		assert.Contains(t, next.traces(), traceID(1), "what was decided is delivered")
		require.ErrorContains(t, <-answered, "the disk is too slow")
		assert.Positive(t, p.refusals.All())
		slow.Store(0)
		time.Sleep(3 * time.Minute) // the run in progress, and one of its own
		require.NoError(t, wireDoor(t, p, request(newTrace(3, 3, false)...)), "sent again")
		time.Sleep(time.Minute)
		shutdown(t, p)
		ids := map[string]int{}
		for _, td := range next.batches {
			for _, s := range spansOf(td) {
				ids[s.TraceID().String()+s.SpanID().String()]++
			}
		}
		assert.Len(t, ids, 9)
	})
}

// image is the contents of a directory's files.
type image map[string][]byte

func imageOf(t *testing.T, dir string) image {
	files := image{}
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(dir, n.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted in the meantime
		}
		require.NoError(t, err)
		files[n.Name()] = b
	}
	return files
}

// powerCut returns possible contents of a disk after a power cut: of each sector the flushed contents, or those
// written later. Files whose names were not flushed may exist or not, and so may deleted ones.
func powerCut(rnd *rand.Rand, flushed, now image) image {
	const sector, page = 512, 4096
	after := image{}
	for name, b := range flushed {
		if _, there := now[name]; there || rnd.IntN(2) == 0 {
			after[name] = append([]byte(nil), b...)
		}
	}
	for name, b := range now {
		old, known := after[name]
		if !known && rnd.IntN(2) == 0 {
			continue
		}
		if !known && filepath.Ext(name) == ".pak" { // flushed before it got its name
			after[name] = b
			continue
		}
		if len(old) != len(b) {
			old = make([]byte, len(b))
		}
		for at := 0; at < len(b); at += page {
			end, fate := min(at+page, len(b)), rnd.IntN(4)
			for s := at; s < end; s += sector {
				if fate == 0 || fate == 1 && rnd.IntN(2) == 0 { // written, or torn; otherwise not
					copy(old[s:min(s+sector, end)], b[s:])
				}
			}
		}
		after[name] = old
	}
	return after
}

// Whenever the power fails, with fsync always no acknowledged span is missing, and with fsync interval none that was acknowledged
// before the last flush.
func TestPowerCut(t *testing.T) {
	for _, fsync := range []string{fsyncAlways, fsyncInterval} {
		for seed := range uint64(8) {
			t.Run(fmt.Sprint(fsync, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { powerFails(t, fsync, seed) })
			})
		}
	}
}

func powerFails(t *testing.T, fsync string, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 4))
	cfg := keepErrors(diskConfig())
	squeeze(cfg, 2, 768<<10)
	cfg.DiskBudget = 4 << 20
	cfg.Fsync, cfg.FsyncInterval = fsync, 700*time.Millisecond
	cfg.DecisionWait = 8 * time.Second
	cfg.Compression = []string{compressNever, compressAlways}[seed%2]
	var next sink
	var flushed, now image
	var safe, acked int // traces: those below safe must survive, those below acked were acknowledged
	var mu sync.Mutex
	stop := 200 + rnd.IntN(1300)
	p := startOn(t, cfg, &next, func(flush func() error) error {
		synctest.Wait() // no file changes between the image and the flush
		mu.Lock()
		defer mu.Unlock()
		before, covers := imageOf(t, cfg.Directory), acked
		if fsync == fsyncAlways && covers == stop-1 {
			now = before // the power fails in the middle of the last request
		}
		if err := flush(); err != nil {
			return err
		}
		if now == nil {
			flushed, safe = before, covers
		}
		return nil
	})
	for range stop {
		spans := []spanOf{newSpan(acked, 0).pad(200), newSpan(acked, 1).pad(rnd.IntN(800))}
		if acked%4 == 0 {
			spans[0].fail()
		}
		require.NoError(t, wireDoor(t, p, request(spans...)))
		mu.Lock()
		acked++
		mu.Unlock()
		time.Sleep(time.Duration(rnd.IntN(40)) * time.Millisecond)
	}
	mu.Lock()
	if fsync == fsyncAlways {
		safe = stop - 1
	} else {
		now = imageOf(t, cfg.Directory)
	}
	after := *cfg
	after.Directory = newDirectory()
	require.NoError(t, os.MkdirAll(after.Directory, 0o700))
	for name, b := range powerCut(rnd, flushed, now) {
		require.NoError(t, os.WriteFile(filepath.Join(after.Directory, name), b, 0o600))
	}
	survives := safe
	mu.Unlock()
	before := next.traces()
	shutdown(t, p)

	var again sink
	p = start(t, &after, &again)
	time.Sleep(time.Minute)
	shutdown(t, p)
	got := again.traces()
	for n := 0; n < survives; n += 4 {
		spans := map[string]bool{}
		for _, td := range append(before[traceID(n)], got[traceID(n)]...) {
			for _, s := range spansOf(td) {
				spans[s.SpanID().String()] = true
			}
		}
		require.Len(t, spans, 2, "trace %d of %d", n, survives)
	}
}
