//go:build e2e

package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// pace is the rate of these gateways' clocks, in seconds per second of the machine's clock: a minute passes in 1.5 s.
const pace = 40

// chains is the number of gateways that are crashed in parallel, each repeatedly, with the files of the crash before.
const chains = 7

// Variants of chains. The span log of a compressing chain compresses all full segments, that of a flushing one flushes its files every
// few milliseconds. The files of a damaged chain are damaged, and events in its ledger are lost with them. A volatile chain cannot
// write counts for a while: a crash loses these counts, and none is repeated. The clock of a rewound chain is set back and stays so:
// later counts have earlier times, so that counters seem to reset, which they must not do in the other chains.
const (
	compressing = "compressing"
	flushing    = "flushing"
	damaged     = "damaged"
	volatile    = "volatile"
	rewound     = "rewound"
)

// variants are the variants of the chains.
var variants = [chains]string{compressing, flushing, compressing, flushing, damaged, volatile, rewound}

// failpoint is a step at which the gateway is crashed (see internal/failpoint), and how to make the gateway take it.
type failpoint struct {
	point string
	// most is the highest hit to crash at, which this load reaches in a second or two.
	most int
	// shards starts the gateway with another number of shards. term stops it by SIGTERM.
	shards, term bool
	// damage damages a file in the gateway's directory before the start or, if live, when the gateway is ready.
	damage func(t *testing.T, dir string, n int) // n is the number of earlier crashes
	live   bool
	// prepare is called with a gateway that is started for it, and killed before the start of the one that crashes.
	prepare func(t *testing.T, g *crashedGateway)
	// maxSeries is max_series of the gateway that crashes; 0 is more than the load has.
	maxSeries int
	// setBack is the time by which its clock is set back, and stays so, after its first evaluation.
	setBack time.Duration
	// variant is the variant of the chains that reach the point; empty means all but damaged, volatile and rewound ones.
	variant string
}

// failpoints are all failpoints. Those that are reached only in a new directory come first.
var failpoints = []failpoint{
	{point: "state.create", most: 1},
	{point: "counts.aside", most: 1, variant: damaged, damage: junk("sli.1.counts")},
	{point: "outbox.record", most: 1},
	{point: "ledger.write", most: 2},
	{point: "ledger.prune", most: 1},
	{point: "ledger.recover", most: 1},
	{point: "traces.commit", most: 3},
	{point: "tsdb.commit", most: 4},
	{point: "spanlog.create", most: 8},
	{point: "spanlog.begin", most: 20},
	{point: "spanlog.append", most: 1000},
	{point: "spanlog.commit", most: 1000},
	{point: "spanlog.copy", most: 20, variant: flushing},
	{point: "spanlog.pack", most: 5, variant: compressing},
	{point: "spanlog.rename", most: 5, variant: compressing},
	{point: "spanlog.free", most: 2, variant: flushing},
	{point: "spanlog.giveup", most: 5, variant: compressing},
	{point: "spanlog.remove", most: 2},
	{point: "spanlog.fsync", most: 5, variant: flushing},
	{point: "journal.begin", most: 2},
	{point: "journal.decided", most: 100},
	{point: "journal.attempted", most: 20},
	{point: "journal.delivered", most: 20},
	{point: "recovery.segment", most: 5, shards: true},
	{point: "recovery.journals", most: 2, shards: true},
	{point: "spanlog.aside", most: 1, variant: damaged, damage: junk("spans/0effffff.seg")},
	{point: "format.move", most: 1, variant: damaged, damage: otherFormat("spans/0f%06x.seg")},
	{point: "ledger.aside", most: 1, variant: damaged, damage: junk("slo.db")},
	{point: "state.aside", most: 1, variant: damaged, damage: junk("slo.db"), live: true},
	{point: "traces.aside", most: 1, variant: damaged, damage: junk("traces.db")},
	{point: "tsdb.aside", most: 2, variant: damaged, prepare: func(*testing.T, *crashedGateway) {}, damage: unreadable("tsdb/wal/0*")},
	{point: "tsdb.trim", most: 1, variant: damaged, prepare: sendSeries(4 * fewSeries), maxSeries: fewSeries},
	{point: "ledger.rewind", most: 1, variant: rewound, setBack: time.Hour},
	{point: "counts.desert", most: 1, variant: volatile, damage: stuckCounts, live: true},
	{point: "counts.begin", most: 1},
	{point: "counts.append", most: 100},
	{point: "counts.mark", most: 5},
	{point: "counts.snapshot", most: 1},
	{point: "counts.commit", most: 1},
	{point: "counts.settle", most: 1},
	{point: "counts.remove", most: 1},
	{point: "counts.close", most: 1, term: true},
}

// chain returns the index of the chain for the nth crash of the variant.
func (f failpoint) chain(n int) int {
	var fit []int
	for i, v := range variants {
		if v == f.variant || f.variant == "" && v != damaged && v != volatile && v != rewound {
			fit = append(fit, i)
		}
	}
	return fit[n%len(fit)]
}

// junk returns a function that overwrites the beginning of a file in place, or creates the file.
func junk(name string) func(t *testing.T, dir string, n int) {
	return func(t *testing.T, dir string, _ int) {
		t.Helper()
		writeOver(t, filepath.Join(dir, name), bytes.Repeat([]byte("junk"), 2<<10))
	}
}

// unreadable returns a function that makes the first file of a pattern unreadable.
func unreadable(pattern string) func(t *testing.T, dir string, n int) {
	return func(t *testing.T, dir string, _ int) {
		t.Helper()
		all, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, all, "no file matches %s", pattern)
		makeUnreadable(t, all[0])
	}
}

// makeUnreadable replaces a file by one that can be opened but not read: a process has no memory at address 0.
func makeUnreadable(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("/proc/self/mem", path))
}

// stuckCounts makes the gateway rewrite the file of counts, whose new name is taken by a directory.
func stuckCounts(t *testing.T, dir string, _ int) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, countsInTheWay), 0o700))
	require.NoError(t, os.Remove(filepath.Join(dir, "sli.lock")))
}

// countsInTheWay is the name of a file of counts that is being created.
const countsInTheWay = "sli.counts.new"

// fewSeries is the least valid max_series, enoughSeries one that is not reached.
const fewSeries, enoughSeries = 1000, 100_000

// sendSeries returns a function that sends series of metrics, with the gateway's time.
func sendSeries(series int) func(t *testing.T, g *crashedGateway) {
	return func(t *testing.T, g *crashedGateway) {
		t.Helper()
		md := pmetric.NewMetrics()
		m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("e2e_series")
		points := m.SetEmptyGauge().DataPoints()
		now := pcommon.NewTimestampFromTime(g.fast.now())
		for i := range series {
			p := points.AppendEmpty()
			p.Attributes().PutInt("number", int64(i))
			p.SetTimestamp(now)
			p.SetIntValue(1)
		}
		body, err := new(pmetric.ProtoMarshaler).MarshalMetrics(md)
		require.NoError(t, err)
		client := http.Client{Timeout: patience}
		resp, err := client.Post("http://"+g.http+"/v1/metrics", "application/x-protobuf", bytes.NewReader(body))
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
}

// otherFormat returns a function that writes a segment of a future format version: see docs/spanlog-format.md.
func otherFormat(name string) func(t *testing.T, dir string, n int) {
	return func(t *testing.T, dir string, n int) {
		t.Helper()
		head := append([]byte("slowspan"), make([]byte, 56)...)
		binary.LittleEndian.PutUint32(head[8:], 99)
		binary.LittleEndian.PutUint32(head[56:], crc32.Checksum(head[8:56], crc32.MakeTable(crc32.Castagnoli)))
		writeOver(t, filepath.Join(dir, fmt.Sprintf(name, n)), head)
	}
}

func writeOver(t *testing.T, path string, b []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	require.NoError(t, err)
	_, err = f.WriteAt(b, 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// crash is a crash at a failpoint, before or after its step, at a hit.
type crash struct {
	failpoint
	moment string
	hit    int
}

func (c crash) String() string { return fmt.Sprintf("%s:%s:%d", c.point, c.moment, c.hit) }

// failpointRounds returns the number of crashes at each point before its step, and after it; E2E_FAILPOINTS raises it, as `make soak` does.
// In the first round, the crash after the step is at the first hit, and the crash before it at a random one.
func failpointRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("E2E_FAILPOINTS")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "E2E_FAILPOINTS")
	return n
}

// plan distributes crashes to the chains. E2E_FAILPOINT replaces them: spanlog.append:after:100,spanlog.copy:before:1.
func plan(t *testing.T) (planned [chains][]crash) {
	t.Helper()
	rng := rand.New(rand.NewPCG(13, uint64(failpointRounds(t))))
	next := map[string]int{}
	for round := range failpointRounds(t) {
		for _, f := range failpoints {
			if (f.point == "state.create" || f.point == "counts.aside") && round > 0 {
				continue // the first is reached only in a new directory, the second loses counts
			}
			for _, moment := range []string{"before", "after"} {
				c := crash{failpoint: f, moment: moment, hit: 1}
				if round > 0 || moment == "before" {
					c.hit += rng.IntN(f.most)
				}
				to := f.chain(next[f.variant])
				next[f.variant]++
				planned[to] = append(planned[to], c)
			}
		}
	}
	text := os.Getenv("E2E_FAILPOINT")
	if text == "" {
		return planned
	}
	planned = [chains][]crash{}
	for one := range strings.SplitSeq(text, ",") {
		parts := regexp.MustCompile(`^(.+):(before|after):(\d+)$`).FindStringSubmatch(one)
		require.NotNil(t, parts, "E2E_FAILPOINT")
		i := slices.IndexFunc(failpoints, func(f failpoint) bool { return f.point == parts[1] })
		require.GreaterOrEqual(t, i, 0, "E2E_FAILPOINT")
		hit, err := strconv.Atoi(parts[3])
		require.NoError(t, err)
		to := failpoints[i].chain(0)
		planned[to] = append(planned[to], crash{failpoints[i], parts[2], hit})
	}
	return planned
}

// A gateway that is crashed before and after each step that persists data, repeatedly and with the same files, keeps the laws:
// acknowledged spans of kept traces reach the backend (2); the counts are the acknowledged spans, and at most those in flight on top
// (1); each transition of an alert reaches its receiver, under one key (6).
func TestFailpoints(t *testing.T) {
	parallelHeavy(t)
	source, err := os.ReadFile("../../internal/failpoint/points.go")
	require.NoError(t, err)
	var listed, tested []string
	for _, match := range regexp.MustCompile(`Point = "(.+)"`).FindAllSubmatch(source, -1) {
		listed = append(listed, string(match[1]))
	}
	for _, f := range failpoints {
		tested = append(tested, f.point)
	}
	require.ElementsMatch(t, listed, tested, "failpoints has the points of internal/failpoint")
	built, err := os.ReadFile(builtGateway(t))
	require.NoError(t, err)
	for _, trace := range []string{"SLOWBURN_FAILPOINT", "internal/failpoint."} { // a binary has the names of its functions
		require.False(t, bytes.Contains(built, []byte(trace)), "the released binary has %s", trace)
	}

	program := filepath.Join(t.TempDir(), "slowburn")
	out, err := exec.Command("go", "build", "-C", "../..", "-tags", "failpoint,testclock", "-o", program, "./cmd/slowburn").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for i, crashes := range plan(t) {
		if len(crashes) == 0 {
			continue
		}
		t.Run(fmt.Sprint("chain ", i+1), func(t *testing.T) {
			t.Parallel()
			crashChain(t, program, i, crashes)
		})
	}
}
