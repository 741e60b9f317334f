package spanlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// began is the start time of scripts, in Unix milliseconds.
const began = 1_700_000_000_000

// world is the state of a script: one directory, and one log with its journal in it. Spans belong to the trace that their body
// begins with: "a/3" is the third span of trace a.
type world struct {
	t       *testing.T
	path    string
	saved   string // the copy that the last crash left
	dir     *Directory
	pool    *Pool
	log     *Log
	journal *Journal
	shards  int
	seed    Seed
	now     int64
	chains  map[string]*Chain
	spans   map[string]int
	from    map[string]Position // where the undecided part of a trace begins
	busy    *Shrinking
	flushed map[string][]byte // by name, the contents that survive a power cut
	broken  bool              // flushes fail
	upkeep  func()            // nil if files are created and deleted at once
}

func newWorld(t *testing.T) *world {
	return &world{t: t, flushed: map[string][]byte{}}
}

// close shuts everything down in order.
func (w *world) close() {
	if w.log == nil {
		return
	}
	if w.busy != nil {
		w.busy.Run()
		_, _ = w.log.EndShrink(w.busy)
		w.busy.Free()
		w.busy = nil
	}
	w.log.Close()
	w.journal.Close()
	w.pool.Close()
	require.Zero(w.t, w.pool.Used(), "memory left after Close")
	if w.dir != nil {
		require.NoError(w.t, w.dir.Close())
	}
	w.log, w.dir = nil, nil
}

func (w *world) run(out io.Writer, name string, a args) {
	command, ok := commands[name]
	if !ok {
		w.t.Fatalf("there is no command %q", name)
	}
	a[name] = "" // shared code looks up its name
	command(w, out, a)
}

var commands map[string]func(*world, io.Writer, args)

func init() {
	commands = map[string]func(*world, io.Writer, args){
		"open": (*world).open, "crash": (*world).crash, "again": (*world).again, "close": func(w *world, _ io.Writer, _ args) { w.close() },
		"powercut": (*world).powerCut, "time": (*world).time,
		"append": (*world).append, "append-reserved": (*world).append, "release": (*world).release, "seal": (*world).seal, "interrupt": (*world).interrupt,
		"compact": (*world).compact, "shrink": (*world).shrink, "begin-shrink": (*world).beginShrink, "end-shrink": (*world).endShrink,
		"reserve": (*world).reserve, "cancel": (*world).cancel, "sync": (*world).sync, "break": (*world).breakDisk,
		"decided": (*world).event, "attempted": (*world).event, "delivered": (*world).event,
		"upkeep": func(w *world, _ io.Writer, _ args) { w.upkeep() },
		"rename": (*world).rename, "trim": (*world).trim, "skipped": (*world).skipped,
		"files": (*world).files, "usage": (*world).usage, "spans": (*world).read, "newer": (*world).newer,
		"cut": (*world).cut, "flip": (*world).flip, "zero": (*world).zero, "write": (*world).write, "delete": (*world).delete,
		"write-number": (*world).writeNumber, "checksum": (*world).checksum, "duplicate": (*world).duplicate,
		"mkdir": (*world).mkdir, "move": (*world).move,
		"hide": (*world).hide, "unhide": (*world).unhide,
		"inventory": (*world).inventory, "recover": (*world).recover,
	}
}

// open begins with an empty directory: open [memory] [limit=bytes] [disk=bytes] [shards=n] [shard=n] [names=a,b] [fsync]
// [deferred]. With deferred, upkeep creates files ahead and deletes them.
func (w *world) open(_ io.Writer, a args) {
	w.close()
	w.path, w.now = w.t.TempDir(), began
	w.start(a, 0)
}

func (w *world) start(a args, sequence uint64) {
	w.chains, w.spans, w.from = map[string]*Chain{}, map[string]int{}, map[string]Position{}
	w.shards = a.number("shards", 1)
	limit := int64(a.number("limit", 1_000_000))
	if a.has("memory") {
		w.pool = NewPool(limit, w.shards)
	} else {
		if w.dir == nil {
			var err error
			w.dir, err = OpenDirectory(w.path)
			require.NoError(w.t, err)
		}
		if w.seed == (Seed{}) {
			w.seed = Seed{0x5eed, 1}
		}
		w.pool = NewDiskPool(limit, int64(a.number("disk", 4<<20)), w.shards)
		w.pool.Open(w.dir, w.seed, sequence)
		if a.has("fsync") {
			w.pool.disk.Load().TrackFlush(w.flush, func() { w.log.WriteAgain(); w.journal.WriteAgain() })
		}
	}
	w.log = New(w.pool, a.number("shard", 0))
	w.log.SetTime(w.now)
	w.journal = NewJournal(w.pool, a.number("shard", 0), namesOf(a))
	if w.upkeep = nil; a.has("deferred") {
		w.upkeep = w.pool.DeferStepped(func() { w.journal.CatchUp(w.now) })
		w.journal.CatchUp(w.now)
	}
	require.NoError(w.t, w.pool.Reserve(0, 0))
}

// flush stands for fsync: it records the contents that survive a power cut.
func (w *world) flush(path string) error {
	if w.broken {
		return errors.New("input/output error")
	}
	if path == w.path {
		return nil
	}
	b, err := os.ReadFile(path)
	if err == nil {
		w.flushed[filepath.Base(path)] = b
	}
	return err
}

// crash is kill -9: the files stay as they are.
func (w *world) crash(io.Writer, args) {
	after := w.t.TempDir()
	copyFiles(w.t, w.path, after)
	w.close()
	w.path, w.saved = after, w.t.TempDir()
	copyFiles(w.t, w.path, w.saved)
}

// again restores the files that the last crash left.
func (w *world) again(io.Writer, args) {
	w.close()
	w.path = w.t.TempDir()
	copyFiles(w.t, w.saved, w.path)
}

// powerCut is a crash that leaves the flushed contents of each file, and zeros of files that were never flushed.
func (w *world) powerCut(io.Writer, args) {
	w.crash(nil, nil)
	for _, name := range w.names() {
		if filepath.Ext(name) == string(files.Packed) {
			continue // flushed before it got this name
		}
		w.edit(name, func(b []byte) []byte {
			if kept, ok := w.flushed[name]; ok {
				return kept
			}
			return make([]byte, len(b))
		})
	}
}

// time advances the clock by milliseconds.
func (w *world) time(_ io.Writer, a args) {
	w.now += int64(a.number("ms", 0))
	w.log.SetTime(w.now)
}

// append appends n spans of a size to a trace: append trace=a [n=1] [size=100] [resource=r] [wide=bytes] [scope=s] [random]
func (w *world) append(out io.Writer, a args) {
	trace, size := a["trace"], a.number("size", 100)
	var o Origin
	o.Set([]byte(a.text("resource", "r")+strings.Repeat("+", a.number("wide", 0))), []byte(a.text("scope", "s")))
	for range a.number("n", 1) {
		bytes, large := int64(size), int64(0)
		if w.pool.IsLarge(size) {
			large = bytes
		}
		if a.has("append-reserved") {
			bytes = 0
		} else if err := w.pool.Reserve(bytes, large); err != nil {
			fmt.Fprintln(out, w.clean(err.Error()))
			return
		}
		c, ok := w.chains[trace]
		if !ok {
			c = &Chain{}
			w.chains[trace], w.from[trace] = c, w.log.Position()
		}
		w.spans[trace]++
		body := fmt.Appendf(nil, "%s/%d ", trace, w.spans[trace])
		rnd := rand.New(rand.NewPCG(1, uint64(w.spans[trace])))
		for fill := byte('.'); len(body) < size; body = append(body, fill) {
			if a.has("random") {
				fill = byte(rnd.Uint32())
			}
		}
		w.log.Append(c, &o, body)
		w.pool.Cancel(bytes)
	}
}

func (w *world) release(_ io.Writer, a args) {
	w.log.Release(w.chains[a["trace"]])
	delete(w.chains, a["trace"])
}

func (w *world) seal(io.Writer, args)      { w.log.seal() }
func (w *world) interrupt(io.Writer, args) { _ = w.log.Interrupt(nil) }

// compact copies forward: compact [percent=50] [disk]
func (w *world) compact(out io.Writer, a args) {
	fmt.Fprintf(out, "%d segments freed\n", w.log.Compact(float64(a.number("percent", 50))/100, a.has("disk"), nil))
}

// shrink shrinks all segments that can be shrunk: shrink [pack] [disk]
func (w *world) shrink(out io.Writer, a args) {
	n := 0
	for work := w.log.BeginShrink(a.has("pack"), a.has("disk")); work != nil; work = w.log.BeginShrink(a.has("pack"), a.has("disk")) {
		if n++; n > 100 {
			w.t.Fatal("shrinking does not end")
		}
		work.Run()
		ok, err := w.log.EndShrink(work)
		fmt.Fprintf(out, "sequence %d: smaller %v, saved %d, error %v\n", work.segment.sequence, ok, work.Saved(), err)
		work.Free()
	}
}

// beginShrink and endShrink are the halves of shrink, for one segment: begin-shrink [pack] [disk], end-shrink [fail]
func (w *world) beginShrink(out io.Writer, a args) {
	w.busy = w.log.BeginShrink(a.has("pack"), a.has("disk"))
	if w.busy == nil {
		fmt.Fprintln(out, "nothing")
		return
	}
	fmt.Fprintf(out, "sequence %d\n", w.busy.segment.sequence)
	w.busy.Run()
}

func (w *world) endShrink(out io.Writer, a args) {
	if w.busy == nil {
		w.t.Fatal("nothing was begun")
	}
	if a.has("fail") {
		w.busy.Fail(errors.New("it failed"))
	}
	ok, err := w.log.EndShrink(w.busy)
	fmt.Fprintf(out, "smaller %v, saved %d, error %v\n", ok, w.busy.Saved(), err)
	w.busy.Free()
	w.busy = nil
}

func (w *world) reserve(out io.Writer, a args) {
	if err := w.pool.Reserve(int64(a.number("bytes", 0)), int64(a.number("large", 0))); err != nil {
		fmt.Fprintln(out, w.clean(err.Error()))
		return
	}
	fmt.Fprintln(out, "reserved")
}

func (w *world) cancel(_ io.Writer, a args) { w.pool.Cancel(int64(a.number("bytes", 0))) }

func (w *world) sync(out io.Writer, _ args) {
	if err := w.pool.Sync(); err != nil {
		fmt.Fprintln(out, w.clean(err.Error()))
	}
}

// breakDisk makes flushes fail: break, break off
func (w *world) breakDisk(_ io.Writer, a args) { w.broken = !a.has("off") }

// event records an event about the undecided part of a trace, or about its latest part: decided trace=a [verdict=1] [policy=0]
// [late] [failed] [revived] [trimmed=n] [to=0] [th=n] [rv=n] [n=1]
func (w *world) event(_ io.Writer, a args) {
	e := Event{
		Kind: Decided, Verdict: uint8(a.number("verdict", 1)), Trigger: uint8(a.number("trigger", 0)), Late: a.has("late"),
		Policy: a.number("policy", -1), From: w.from[a["trace"]], To: w.log.Position(), At: uint32(w.now / 1000),
		Threshold: uint64(a.number("th", -1)), Random: uint64(a.number("rv", -1)),
		Failed: a.has("failed"), Revived: a.has("revived"), Trimmed: uint32(a.number("trimmed", 0)), Destination: uint8(a.number("to", 0)),
	}
	copy(e.TraceID[:], a["trace"])
	switch {
	case a.has("attempted"):
		e.Kind = Attempted
	case a.has("delivered"):
		e.Kind = Delivered
	}
	for range a.number("n", 1) {
		w.journal.Put(&e, w.now)
	}
}

// namesOf returns the names in names= and destinations=.
func namesOf(a args) (n Names) {
	n.Policies = strings.Split(a.text("names", "errors,slow"), ",")
	for key := range strings.SplitSeq(a.text("destinations", "a,b"), ",") {
		n.Destinations = append(n.Destinations, Destination{Key: key})
	}
	return n
}

func (w *world) rename(_ io.Writer, a args) { w.journal.Rename(strings.Split(a["names"], ",")) }

// trim deletes old journal files: trim [keep=0]
func (w *world) trim(out io.Writer, a args) {
	fmt.Fprintf(out, "full %v\n", w.journal.Full())
	w.journal.Trim(w.log, a.number("keep", 0), func(highest uint64) {
		fmt.Fprintf(out, "again what is about sequences up to %d\n", highest)
	})
}

func (w *world) skipped(out io.Writer, _ args) {
	fmt.Fprintf(out, "%d events skipped\n", w.journal.Skipped)
	if n := w.journal.Waiting(); n > 0 {
		fmt.Fprintf(out, "%d events wait\n", n)
	}
}

// names returns the names of the files, sorted, each with its directory below w.path.
func (w *world) names() (names []string) {
	require.NoError(w.t, filepath.WalkDir(w.path, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() != "LOCK" {
			names = append(names, w.clean(filepath.ToSlash(path)))
		}
		return err
	}))
	return names
}

// files lists the files: magic, size, and fields of the header.
func (w *world) files(out io.Writer, _ args) {
	for _, name := range w.names() {
		b, err := os.ReadFile(filepath.Join(w.path, name))
		require.NoError(w.t, err)
		fmt.Fprintf(out, "%s %q %d bytes", name, b[:min(8, len(b))], len(b))
		if len(b) >= format.HeaderSize && string(b[:8]) != format.MagicFree {
			fmt.Fprintf(out, ", shard %d, sequence %d, used %d", binary.LittleEndian.Uint32(b[12:]),
				binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint32(b[format.UsedAt:]))
		}
		fmt.Fprintln(out)
	}
}

func (w *world) usage(out io.Writer, _ args) {
	u := w.log.Usage()
	fmt.Fprintf(out, "%d segments, %d cold, %d bytes, %d live; %d shrinkable, %d volatile\n",
		u.Segments, u.Cold, u.Allocated, u.Live, w.pool.Shrinkable(), w.pool.Volatile())
	if w.dir != nil {
		fmt.Fprintf(out, "%d bytes on disk of %d\n", w.pool.Disk(), w.pool.DiskLimit())
	}
}

// read prints the spans of all traces: spans [pause]. With pause another trace grows during the pauses.
func (w *world) read(out io.Writer, a args) {
	var pause Pause
	if a.has("pause") {
		pause = func(work func()) bool {
			var o Origin
			o.Set([]byte("r"), []byte("s"))
			w.log.Append(&Chain{}, &o, fmt.Appendf(nil, "p/1 %0500d", 0))
			if work != nil {
				work()
				return true
			}
			fmt.Fprint(out, " (pause)")
			return true
		}
	}
	for _, trace := range slices.Sorted(maps.Keys(w.chains)) {
		fmt.Fprintf(out, "%s:", trace)
		for r, err := range w.log.Records(*w.chains[trace], pause) {
			if err != nil {
				fmt.Fprintf(out, " (%s)", w.clean(err.Error()))
				continue
			}
			name, _, _ := strings.Cut(string(r.Body), " ")
			fmt.Fprintf(out, " %s", name)
			if string(r.Resource)+string(r.Scope) != "rs" {
				fmt.Fprintf(out, "[%s,%s]", strings.TrimRight(string(r.Resource), "+"), r.Scope)
			}
		}
		fmt.Fprintln(out)
	}
}

// newer reports whether spans of a trace are in segments begun after a sequence: newer trace=a than=3
func (w *world) newer(out io.Writer, a args) {
	fmt.Fprintln(out, w.log.Newer(*w.chains[a["trace"]], format.PositionOf(uint64(a.number("than", 0)), 0)))
}

// clean removes the directory's path from a message.
func (w *world) clean(message string) string {
	return strings.ReplaceAll(strings.ReplaceAll(message, w.path+"/", ""), w.path, "DIR")
}

// edit changes a file's bytes.
func (w *world) edit(name string, change func([]byte) []byte) {
	path := filepath.Join(w.path, name)
	b, err := os.ReadFile(path)
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(path, change(b), 0o600))
}

// cut truncates a file: cut file=00000001.seg at=500
func (w *world) cut(_ io.Writer, a args) {
	w.edit(a["file"], func(b []byte) []byte { return b[:a.number("at", 0)] })
}

// flip flips a bit: flip file=00000001.seg at=500 [bit=0]
func (w *world) flip(_ io.Writer, a args) {
	w.edit(a["file"], func(b []byte) []byte {
		b[a.number("at", 0)] ^= 1 << a.number("bit", 0)
		return b
	})
}

// zero clears bytes: zero file=00000001.seg from=500 [to=600]
func (w *world) zero(_ io.Writer, a args) {
	w.edit(a["file"], func(b []byte) []byte {
		clear(b[a.number("from", 0):a.number("to", len(b))])
		return b
	})
}

// write creates a text file: write file=00000001.seg text=abc
func (w *world) write(_ io.Writer, a args) {
	require.NoError(w.t, os.WriteFile(filepath.Join(w.path, a["file"]), []byte(a["text"]), 0o600))
}

func (w *world) delete(_ io.Writer, a args) {
	require.NoError(w.t, os.Remove(filepath.Join(w.path, a["file"])))
}

// mkdir creates a directory: mkdir directory=aside
func (w *world) mkdir(_ io.Writer, a args) {
	require.NoError(w.t, os.Mkdir(filepath.Join(w.path, a["directory"]), 0o700))
}

// move renames a file: move file=00000001.seg to=aside/00000001.seg
func (w *world) move(_ io.Writer, a args) {
	require.NoError(w.t, os.Rename(filepath.Join(w.path, a["file"]), filepath.Join(w.path, a["to"])))
}

// writeNumber writes four bytes: write-number file=00000001.seg at=60 value=0
func (w *world) writeNumber(_ io.Writer, a args) {
	w.edit(a["file"], func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[a.number("at", 0):], uint32(a.number("value", 0)))
		return b
	})
}

// checksum sets a header's checksum: checksum file=00000001.seg
func (w *world) checksum(_ io.Writer, a args) {
	w.edit(a["file"], func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[56:], crc32.Checksum(b[8:56], crc32.MakeTable(crc32.Castagnoli)))
		return b
	})
}

// duplicate copies the spans of a segment to a later one, like a process that ends before it gives the first one up: duplicate
// file=00000001.seg
func (w *world) duplicate(_ io.Writer, a args) {
	path := w.path
	w.path = w.t.TempDir()
	copyFiles(w.t, path, w.path)
	w.recover(io.Discard, args{"shards": "2"})
	w.crash(nil, nil)
	copyFiles(w.t, path, w.path)
}

// hide removes the directory, so that the disk fails; unhide restores it.
func (w *world) hide(io.Writer, args)   { require.NoError(w.t, os.Rename(w.path, w.path+".away")) }
func (w *world) unhide(io.Writer, args) { require.NoError(w.t, os.Rename(w.path+".away", w.path)) }
