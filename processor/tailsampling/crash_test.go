package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// diskConfig is testConfig on disk, whatever the storage of other tests.
func diskConfig() *Config {
	cfg := testConfig()
	cfg.Storage = storageDisk
	return cfg
}

// crash returns what kill -9 would leave of a running processor: a copy of its files at this moment.
func crash(t testing.TB, cfg *Config) *Config {
	t.Helper()
	after := *cfg
	after.Directory = newDirectory()
	require.NoError(t, os.MkdirAll(after.Directory, 0o700))
	names, err := os.ReadDir(cfg.Directory)
	require.NoError(t, err)
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(cfg.Directory, name.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted in the meantime
		}
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(after.Directory, name.Name()), b, 0o600))
	}
	return &after
}

// end frees a processor that is dead for the test.
func end(t testing.TB, p *Sampler) { require.NoError(t, p.Shutdown(context.Background())) }

// Whenever the process is killed, and with any number of shards afterwards, the delivered traces are the same as without a kill,
// byte for byte.
func TestCrashesDoNotMatter(t *testing.T) {
	var spans []spanOf
	rnd := rand.New(rand.NewPCG(3, 1))
	for n := range 120 {
		tr := newTrace(n, 1+rnd.IntN(20), n%10 == 0)
		if n%10 == 7 { // identical spans
			tr = append(tr, newSpan(n, 0), newSpan(n, 0))
		}
		spans = append(spans, tr...)
	}
	var want map[pcommon.TraceID][]byte
	for variant := range 24 {
		t.Run(fmt.Sprint(variant), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(variant), 2))
				cfg := diskConfig()
				cfg.NumShards = 1 + variant%5
				cfg.Compression = []string{compressNever, compressAuto, compressAlways}[variant%3]
				var sinks []*sink
				run := func(cfg *Config) *Sampler {
					sinks = append(sinks, &sink{})
					return start(t, cfg, sinks[len(sinks)-1])
				}
				p := run(cfg)
				order := shuffled(rnd, spans)
				for i, batch := range slices.Collect(slices.Chunk(order, 40)) {
					require.NoError(t, wireDoor(t, p, request(batch...)))
					if variant > 0 && i%(1+variant%7) == 0 {
						synctest.Wait()
						next := crash(t, cfg)
						end(t, p)
						if variant%4 == 3 {
							next.NumShards = 1 + rnd.IntN(6)
						}
						cfg = next
						p = run(cfg)
						require.Zero(t, p.store.Lost.Load())
					}
				}
				time.Sleep(cfg.DecisionWait + time.Second)
				shutdown(t, p)
				got := map[pcommon.TraceID][]byte{}
				for _, s := range sinks {
					for id, parts := range s.traces() {
						require.Len(t, parts, 1)
						require.NotContains(t, got, id, "delivered twice")
						got[id] = marshal(t, parts[0])
					}
				}
				if want == nil {
					want = got
				}
				require.Equal(t, len(want), len(got))
				require.Equal(t, want, got)
			})
		})
	}
}

// However often the process is killed while traces are decided, delivered and refused, no acknowledged span of a kept
// trace is missing, no dropped trace returns, and only traces whose delivery was interrupted are delivered twice.
func TestCrashesWhileEverythingGoesOn(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(seed, 9))
				cfg := keepErrors(diskConfig())
				cfg.NumShards, cfg.MemoryBudget = 2, 1<<20
				cfg.DecisionWait = 3 * time.Second
				cfg.DecisionWaitAfterRootReceived = time.Second
				cfg.Compression = []string{compressNever, compressAlways}[seed%2]
				var down atomic.Bool
				var mu sync.Mutex
				delivered := map[string]int{}
				accept := func(_ context.Context, _ int, td ptrace.Traces) error {
					if down.Load() {
						return errors.New("down")
					}
					mu.Lock()
					defer mu.Unlock()
					for _, s := range spansOf(td) {
						delivered[s.TraceID().String()+s.SpanID().String()]++
					}
					return nil
				}
				p := start(t, cfg, &sink{accept: accept})
				acked := map[string]bool{}
				repeated := int64(0)
				for n := range 1500 {
					spans := []spanOf{newSpan(n, 0).pad(200), newSpan(n, 1).pad(200)}
					if n%5 == 0 {
						spans[0].fail()
					}
					if n >= 30 && n%3 == 0 {
						spans = append(spans, newSpan(n-30, 2)) // late, somewhat
					}
					if err := wireDoor(t, p, request(spans...)); err == nil {
						for _, s := range spans {
							acked[s.span().TraceID().String()+s.span().SpanID().String()] = true
						}
					} else {
						requireRefusal(t, err)
					}
					time.Sleep(time.Duration(rnd.IntN(100)) * time.Millisecond)
					switch rnd.IntN(60) {
					case 0:
						down.Store(!down.Load())
					case 1:
						synctest.Wait()
						next := crash(t, cfg)
						was := down.Load()
						down.Store(true) // the dead process delivers nothing
						end(t, p)
						down.Store(was)
						cfg = next
						p = start(t, cfg, &sink{accept: accept})
						require.Zero(t, p.store.Lost.Load())
						repeated += p.store.Repeated.Load()
					}
				}
				down.Store(false)
				time.Sleep(time.Minute)
				shutdown(t, p)
				for n := range 1500 {
					for i := range 3 {
						key := traceID(n).String() + spanID(i).String()
						if n%5 == 0 && acked[key] {
							require.Positive(t, delivered[key], "trace %d span %d is lost", n, i)
						}
						if n%5 != 0 {
							require.Zero(t, delivered[key], "trace %d span %d is back", n, i)
						}
					}
				}
				twice := int64(0)
				for _, times := range delivered {
					twice += int64(times - 1)
				}
				assert.LessOrEqual(t, twice, repeated, "every redelivery is counted")
			})
		})
	}
}

// After a restart kept traces are delivered in the order of their decisions, with the names of policies that no longer exist, and
// late spans follow earlier decisions.
func TestDecisionsSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := diskConfig()
		cfg.NumShards = 1
		p := start(t, cfg, &sink{accept: func(context.Context, int, ptrace.Traces) error { return errors.New("down") }})
		for n := range 50 {
			require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, n%2 == 0)...)))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		undelivered := p.Status().TracesUndelivered
		require.GreaterOrEqual(t, undelivered, int64(25))
		end(t, p)

		renamed := keepErrors(cfg)
		renamed.Policies[0].Name = "failures"
		back := make(chan struct{})
		next := sink{accept: func(context.Context, int, ptrace.Traces) error { <-back; return nil }}
		p = start(t, renamed, &next)
		assert.Equal(t, undelivered, p.Status().TracesUndelivered)
		close(back)
		require.NoError(t, wireDoor(t, p, request(newSpan(0, 7), newSpan(1, 7))))
		time.Sleep(time.Second)
		synctest.Wait()
		got := next.traces()
		assert.Len(t, got, int(undelivered))
		assert.Len(t, got[traceID(0)], 2, "the late span follows")
		assert.NotContains(t, got, traceID(1))
		assert.Equal(t, "errors", policyOf(spansOf(got[traceID(0)][0])[0]))
		var order []uint64
		for _, td := range next.batches[:1] {
			for _, rs := range td.ResourceSpans().All() {
				order = append(order, uint64(rs.ScopeSpans().At(0).Spans().At(0).StartTimestamp())/1e9)
			}
		}
		assert.IsNonDecreasing(t, order)
		assert.Equal(t, LateSpans{Kept: 1, Dropped: 1}, p.Status().LateSpans)
		shutdown(t, p)
	})
}

// A restart does not reset a trace's wait: the time it has waited counts, the time in which nothing ran does
// not.
func TestWaitGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(diskConfig())
		p := start(t, cfg, &sink{})
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 1))))
		time.Sleep(6 * time.Second)
		require.NoError(t, wireDoor(t, p, request(newSpan(2, 1))))
		end(t, p)
		time.Sleep(time.Hour)
		var next sink
		p = start(t, cfg, &next)
		assert.Equal(t, int64(2), p.Status().TracesPending)
		assert.InDelta(t, 6, p.Status().OldestUndecidedSeconds, 0.01)
		assert.InDelta(t, float64(4*time.Second), float64(waitFor(t, &next, 1, time.Minute)), float64(lateness))
		assert.Contains(t, next.traces(), traceID(1))
		assert.InDelta(t, float64(6*time.Second), float64(waitFor(t, &next, 2, time.Minute)), float64(lateness))
		shutdown(t, p)
	})
}

// A shutdown delivers decided traces and leaves the others on disk, so that a restart loses nothing.
func TestRollingRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(diskConfig())
		var next sink
		for round := range 5 {
			p := start(t, cfg, &next)
			for n := range 200 {
				require.NoError(t, wireDoor(t, p, request(newSpan(n, round).fail())))
			}
			time.Sleep(time.Second)
			require.NoError(t, p.Shutdown(t.Context()))
			assert.Empty(t, next.batches)
		}
		p := start(t, cfg, &next)
		time.Sleep(time.Minute)
		require.NoError(t, p.Shutdown(t.Context()))
		got := next.traces()
		require.Len(t, got, 200)
		for _, parts := range got {
			require.Len(t, parts, 1)
			require.Len(t, spansOf(parts[0]), 5)
		}
		left, err := filepath.Glob(filepath.Join(cfg.Directory, "*.seg"))
		require.NoError(t, err)
		assert.Empty(t, left, "and nothing is left behind")
	})
}

func TestSecondProcessorOnTheDirectory(t *testing.T) {
	cfg := diskConfig()
	p := start(t, cfg, &sink{})
	second, err := newSamplerForTest(cfg)
	require.NoError(t, err)
	err = second.Start(t.Context(), nil)
	require.ErrorContains(t, err, "is in use by another process (pid "+fmt.Sprint(os.Getpid())+")")
	require.ErrorContains(t, err, "stop that, or give this one another directory")
	require.NoError(t, second.Shutdown(t.Context()))
	shutdown(t, p)
}

// Files of a future version are moved aside, and the processor starts.
func TestUnknownFormatVersion(t *testing.T) {
	cfg := keepAll(diskConfig())
	p := start(t, cfg, &sink{})
	require.NoError(t, wireDoor(t, p, request(newSpan(1, 0))))
	end(t, p)
	files, err := filepath.Glob(filepath.Join(cfg.Directory, "*.seg"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	b, err := os.ReadFile(files[0])
	require.NoError(t, err)
	b[8] = 7
	require.NoError(t, os.WriteFile(files[0], b, 0o600))
	// This version's checksum would make it a flipped bit; a wrong one makes it another file.
	b[20]++
	require.NoError(t, os.WriteFile(files[0], b, 0o600))
	p = start(t, cfg, &sink{})
	require.FileExists(t, files[0]+".format-7")
	require.Contains(t, p.Probe(t.Context()).Message, "; buffered spans are not read back: a file of format version 7 was moved to "+files[0]+".format-7")
	shutdown(t, p)
}

func TestDirectoryThatCannotBe(t *testing.T) {
	cfg := diskConfig()
	require.NoError(t, os.WriteFile(cfg.Directory, nil, 0o600))
	cfg.Directory = filepath.Join(cfg.Directory, "spans")
	p, err := newSamplerForTest(cfg)
	require.NoError(t, err)
	err = p.Start(t.Context(), nil)
	require.ErrorContains(t, err, "cannot make the directory of the span log "+cfg.Directory)
	require.True(t, strings.HasSuffix(err.Error(), "or set another directory"), err)
	require.NoError(t, p.Shutdown(t.Context()))
}

// Spans that the disk fails to read back for a while are late, not lost.
func TestSegmentThatCannotBeReadForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(diskConfig())
		p := start(t, cfg, &sink{})
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 5, false)...)))
		end(t, p)
		var next sink
		p = start(t, cfg, &next) // its segment is now on disk only
		away := newDirectory()
		files, err := filepath.Glob(filepath.Join(cfg.Directory, "*.seg"))
		require.NoError(t, err)
		require.NoError(t, os.Mkdir(away, 0o700))
		for _, f := range files {
			require.NoError(t, os.Rename(f, filepath.Join(away, filepath.Base(f))))
		}
		time.Sleep(cfg.DecisionWait + time.Second)
		assert.Empty(t, next.traces())
		assert.Zero(t, p.Status().LostSpans)
		assert.False(t, p.Probe(t.Context()).OK)
		for _, f := range files {
			require.NoError(t, os.Rename(filepath.Join(away, filepath.Base(f)), f))
		}
		time.Sleep(time.Minute)
		assert.Equal(t, 5, next.spans())
		assert.Zero(t, p.Status().LostSpans)
		shutdown(t, p)
	})
}

// The journal is bounded: old decisions leave it, those of undelivered traces stay.
func TestJournalIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(diskConfig())
		cfg.NumShards, cfg.MemoryBudget = 1, 1<<20
		cfg.DecisionCache = DecisionCacheConfig{SampledCacheSize: 100, NonSampledCacheSize: 100}
		cfg.DecisionWait = 100 * time.Millisecond
		p := start(t, cfg, &sink{accept: func(context.Context, int, ptrace.Traces) error { return errors.New("down") }})
		const traces = 20_000
		for n := range traces {
			s := newSpan(n, 0)
			if n%1000 == 0 {
				s.fail()
			}
			require.NoError(t, wireDoor(t, p, request(s)))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		journals, err := filepath.Glob(filepath.Join(cfg.Directory, "*.jnl"))
		require.NoError(t, err)
		assert.LessOrEqual(t, len(journals), 6, "of %d bytes each", p.buffer.Pool.SegmentSize())
		after := crash(t, cfg)
		end(t, p)
		var next sink
		p = start(t, after, &next)
		assert.Zero(t, p.Status().TracesPending, "nothing comes back that was decided")
		time.Sleep(time.Minute)
		assert.Len(t, next.traces(), traces/1000)
		shutdown(t, p)
	})
}

// With fsync the same traces are delivered.
func TestFsync(t *testing.T) {
	for _, fsync := range []string{fsyncInterval, fsyncAlways} {
		t.Run(fsync, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := keepAll(diskConfig())
				cfg.Fsync = fsync
				var next sink
				p := start(t, cfg, &next)
				for n := range 200 {
					require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, false)...)))
				}
				time.Sleep(3 * time.Second)
				assert.True(t, p.Probe(t.Context()).OK)
				after := crash(t, cfg)
				end(t, p)
				p = start(t, after, &next)
				time.Sleep(time.Minute)
				shutdown(t, p)
				assert.Len(t, next.traces(), 200)
				for _, parts := range next.traces() {
					assert.Len(t, parts, 1)
				}
			})
		})
	}
}
