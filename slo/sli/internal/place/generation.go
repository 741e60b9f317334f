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

	_      [64]byte // what follows is written by all
	tail   atomic.Int64
	sealed atomic.Bool
}

var _ Generation = (*generation)(nil)

// Begin implements Place.
func (d *Directory) Begin(room int) (Generation, error) {
	room = (room + pageSize - 1) / pageSize * pageSize
	g := &generation{d: d, path: d.file(d.next), salt: rand.Uint64()}
	f, err := os.OpenFile(g.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, explain("make", g.path, err)
	}
	number := d.next
	d.next++
	g.memory, err = mapped.Create(f, number, pageSize+room)
	if err != nil {
		return nil, errors.Join(explain("set room aside in", g.path, err), f.Close(), os.Remove(g.path))
	}
	g.file = f
	g.log = g.memory.Buf[pageSize:]
	h := head{version: version, generation: number, salt: g.salt, room: uint64(room), boot: d.boot}
	if err := g.poke(0, h.encode()); err != nil {
		return nil, errors.Join(explain("write", g.path, err), g.discard())
	}
	d.old = append(d.old, g.path)
	return g, nil
}

// poke stores bytes in the first page.
func (g *generation) poke(at int, b []byte) (err error) {
	defer mapped.Guard(&err)()
	copy(g.memory.Buf[at:], b)
	return nil
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
	defer mapped.Guard(&err)()
	length := uint32(len(record))
	copy(g.log[at+frameHead:], record)
	binary.LittleEndian.PutUint32(g.log[at+8:], length^uint32(g.salt))
	binary.LittleEndian.PutUint32(g.log[at+4:], length)
	binary.LittleEndian.PutUint32(g.log[at:], checksum(g.salt, length, record))
	return nil
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
	if err == nil {
		err = g.poke(snapshotAt, encodeSnapshotHead(uint64(bytes), sum.Sum32()))
	}
	if err != nil {
		return 0, explain("write", g.path, err)
	}
	return bytes, nil
}

// Settle implements Generation.
func (g *generation) Settle() error {
	if err := errors.Join(g.file.Sync(), syncDirectory(g.d.path)); err != nil {
		return explain("flush", g.path, err)
	}
	var failed []error
	kept := g.d.old[:0]
	for _, path := range g.d.old {
		if path == g.path {
			kept = append(kept, path)
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			kept = append(kept, path)
			failed = append(failed, explain("delete", path, err))
		}
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

// Desert implements Generation.
func (g *generation) Desert() error {
	g.sealed.Store(true)
	if err := g.poke(desertedAt, []byte{1}); err != nil {
		return errors.Join(explain("write", g.path, err), os.Remove(g.path))
	}
	return nil
}

// Release implements Generation.
func (g *generation) Release() {
	g.sealed.Store(true)
	g.memory.Release()
	_ = g.file.Close() // what was to be kept was flushed
}

// Close implements Generation.
func (g *generation) Close() error {
	g.sealed.Store(true)
	err := g.poke(closedAt, []byte{1})
	if err == nil {
		err = g.file.Sync()
	}
	g.memory.Release()
	return errors.Join(err, g.file.Close())
}
