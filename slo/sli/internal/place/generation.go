package place

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"unsafe"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/mapped"
)

func crcOf(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// generation is a file of a Directory.
type generation struct {
	d      *Directory
	path   string
	file   *os.File
	memory mapped.Memory
	log    []byte
	salt   uint64
	head   []byte
	state  state
	marked int    // bytes of the log that are known to be complete
	word   uint64 // the stored mark

	snapshot int64 // bytes of the snapshot, once it is committed

	_      [64]byte // the fields below are written by all goroutines, on a cache line of their own
	tail   atomic.Int64
	sealed atomic.Bool
}

var _ Generation = (*generation)(nil)

// Begin implements Place. The file is renamed to its name once its head is written, so no crash leaves one without a head.
func (d *Directory) Begin(room int) (Generation, error) {
	if err := d.relock(); err != nil {
		return nil, err
	}
	room = (room + pageSize - 1) / pageSize * pageSize
	number := d.next
	d.next++
	g := &generation{d: d, path: filepath.Join(d.path, d.name+newSuffix), salt: rand.Uint64()}
	f, err := os.OpenFile(g.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, explain("make", g.path, err)
	}
	g.memory, err = mapped.Create(f, number, pageSize+room)
	if err != nil {
		return nil, errors.Join(explain("set room aside in", g.path, err), f.Close(), os.Remove(g.path))
	}
	g.file = f
	g.log = g.memory.Buf[pageSize:]
	h := head{version: formatVersion, generation: number, salt: g.salt, room: uint64(room), boot: d.boot}
	g.head = h.encode()
	if err := errors.Join(g.poke(0, g.head), g.mark()); err != nil {
		return nil, errors.Join(explain("write", g.path, err), g.discard())
	}
	failpoint.Before(failpoint.CountsBegin)
	if err := os.Rename(g.path, d.file(number)); err != nil {
		return nil, errors.Join(explain("rename", g.path, err), g.discard())
	}
	failpoint.After(failpoint.CountsBegin)
	g.path = d.file(number)
	d.old = append(d.old, g.path)
	return g, nil
}

// poke stores bytes in the first page.
func (g *generation) poke(at int, b []byte) (err error) {
	defer mapped.Guard(&err)()
	copy(g.memory.Buf[at:], b)
	return nil
}

// mark stores the state and how far the log is complete.
func (g *generation) mark() (err error) {
	defer mapped.Guard(&err)()
	g.word = markOf(g.salt, g.state, g.marked)
	failpoint.Before(failpoint.CountsMark)
	storeWord(g.memory.Buf[markAt:], g.word)
	failpoint.After(failpoint.CountsMark)
	return nil
}

// wordAt returns a pointer to the first 8 bytes of b, which must be aligned to 8.
func wordAt(b []byte) *uint64 { return (*uint64)(unsafe.Pointer(&b[:8][0])) }

// storeWord stores 8 bytes atomically, after all stores before it.
func storeWord(b []byte, v uint64) {
	var ordered [8]byte
	binary.LittleEndian.PutUint64(ordered[:], v)
	atomic.StoreUint64(wordAt(b), binary.NativeEndian.Uint64(ordered[:]))
}

func loadWord(b []byte) uint64 {
	var ordered [8]byte
	binary.NativeEndian.PutUint64(ordered[:], atomic.LoadUint64(wordAt(b)))
	return binary.LittleEndian.Uint64(ordered[:])
}

func (g *generation) discard() error {
	g.memory.Release()
	return errors.Join(g.file.Close(), os.Remove(g.path))
}

// Append implements Generation.
func (g *generation) Append(record []byte) bool {
	if g.sealed.Load() {
		return false
	}
	size := int64(frame(len(record)))
	end := g.tail.Add(size)
	if end > int64(len(g.log)) || g.store(int(end-size), record) != nil {
		g.sealed.Store(true)
		return false
	}
	return true
}

func (g *generation) store(at int, record []byte) (err error) {
	defer mapped.Disarm(mapped.Arm(), &err)
	length := uint32(len(record))
	failpoint.Before(failpoint.CountsAppend)
	copy(g.log[at+frameHead:], record)
	binary.LittleEndian.PutUint32(g.log[at+8:], length^uint32(g.salt))
	storeWord(g.log[at:], uint64(length)<<32|uint64(checksum(g.salt, length, record)))
	failpoint.After(failpoint.CountsAppend)
	return nil
}

// Mark implements Generation.
func (g *generation) Mark() bool {
	whole, err := g.walk()
	if err == nil && whole {
		err = g.mark()
	}
	if err != nil {
		g.sealed.Store(true)
	}
	return err == nil && whole
}

// walk advances marked over the records that are stored, and reports whether it reached the end of all reserved room.
func (g *generation) walk() (whole bool, err error) {
	defer mapped.Guard(&err)()
	for end := g.tail.Load(); int64(g.marked) < end; {
		if g.marked >= len(g.log) {
			return false, nil // the last one did not fit
		}
		length := int(loadWord(g.log[g.marked:]) >> 32)
		if length == 0 {
			return false, nil
		}
		if int64(g.marked+frame(length)) > end {
			return false, errDamaged
		}
		g.marked += frame(length)
	}
	return true, nil
}

// Fill implements Generation.
func (g *generation) Fill() float64 {
	if g.sealed.Load() {
		return 1
	}
	return float64(g.tail.Load()) / float64(len(g.log))
}

// Commit implements Generation.
func (g *generation) Commit(snapshot func(write func(record []byte) error) error) (int64, error) {
	sum := crc32.New(castagnoli)
	out := bufio.NewWriterSize(io.NewOffsetWriter(g.file, int64(len(g.memory.Buf))), 1<<20)
	both := io.MultiWriter(out, sum)
	var bytes int64
	failpoint.Before(failpoint.CountsSnapshot)
	err := snapshot(func(record []byte) error {
		var b [binary.MaxVarintLen64]byte
		n := binary.PutUvarint(b[:], uint64(len(record)))
		bytes += int64(n + len(record))
		if _, err := both.Write(b[:n]); err != nil {
			return err
		}
		_, err := both.Write(record)
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	failpoint.After(failpoint.CountsSnapshot)
	if err == nil {
		err = g.poke(snapshotAt, encodeSnapshotHead(uint64(bytes), sum.Sum32()))
	}
	if err == nil {
		g.state, g.snapshot = stateCommitted, bytes
		failpoint.Before(failpoint.CountsCommit)
		err = g.mark()
		failpoint.After(failpoint.CountsCommit)
	}
	if err != nil {
		return 0, explain("write", g.path, err)
	}
	return bytes, nil
}

// Sync implements Generation.
func (g *generation) Sync() error {
	failpoint.Before(failpoint.CountsSettle)
	if err := errors.Join(g.file.Sync(), syncDirectory(g.d.path)); err != nil {
		return explain("flush", g.path, err)
	}
	failpoint.After(failpoint.CountsSettle)
	var failed []error
	kept := g.d.old[:0]
	for _, path := range g.d.old {
		if path == g.path {
			kept = append(kept, path)
			continue
		}
		failpoint.Before(failpoint.CountsRemove)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			kept = append(kept, path)
			failed = append(failed, explain("delete", path, err))
		}
		failpoint.After(failpoint.CountsRemove)
	}
	g.d.old = kept
	return errors.Join(failed...)
}

func syncDirectory(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Abandon implements Generation.
func (g *generation) Abandon() error {
	g.sealed.Store(true)
	g.state = stateAbandoned
	failpoint.Before(failpoint.CountsDesert)
	err := g.mark()
	failpoint.After(failpoint.CountsDesert)
	if err != nil {
		return errors.Join(explain("write", g.path, err), os.Remove(g.path))
	}
	return nil
}

// Release implements Generation.
func (g *generation) Release() {
	g.sealed.Store(true)
	g.memory.Release()
	_ = g.file.Close() // nothing of it is needed any more
}

// Close implements Generation.
func (g *generation) Close() error {
	g.sealed.Store(true)
	_, err := g.walk()
	if err == nil {
		failpoint.Before(failpoint.CountsClose)
		g.state = stateClosed
		err = g.mark()
	}
	if err == nil {
		err = g.file.Sync()
		failpoint.After(failpoint.CountsClose)
	}
	g.memory.Release()
	return errors.Join(err, g.file.Close())
}
