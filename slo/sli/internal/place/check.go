package place

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/slowburn/slowburn/internal/mapped"
)

// Check implements Generation. A mapped file that was removed, truncated or changed still accepts records.
func (g *generation) Check(all bool) error {
	if !isAt(g.path, g.file) {
		return fmt.Errorf("%s was removed, or another file is in its place", g.path)
	}
	if !isAt(g.d.lockPath(), g.d.lock) {
		return fmt.Errorf("%s was removed: another process would not see that this one counts", g.d.lockPath())
	}
	info, err := g.file.Stat()
	if err != nil {
		return explain("read", g.path, err)
	}
	if want := int64(len(g.memory.Buf)) + g.snapshot; info.Size() < want {
		return fmt.Errorf("%s was cut off: it has %d bytes of %d", g.path, info.Size(), want)
	}
	err = g.checkHead()
	if err == nil && all {
		err = errors.Join(g.checkLog(), g.checkSnapshot())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", g.path, err)
	}
	return nil
}

// isAt reports whether an open file is still the one at a path.
func isAt(path string, f *os.File) bool {
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	own, err := f.Stat()
	return err == nil && os.SameFile(there, own)
}

func (g *generation) checkHead() (err error) {
	defer mapped.Guard(&err)()
	if !bytes.Equal(g.memory.Buf[:len(g.head)], g.head) {
		return errors.New("its head was changed")
	}
	if loadWord(g.memory.Buf[markAt:]) != g.word {
		return errors.New("its mark was changed")
	}
	return nil
}

func (g *generation) checkLog() (err error) {
	defer mapped.Guard(&err)()
	_, err = readLog(g.log[:g.marked], g.salt, uint64(g.marked), func([]byte) error { return nil })
	return err
}

func (g *generation) checkSnapshot() (err error) {
	defer mapped.Guard(&err)()
	if g.state != stateCommitted {
		return nil
	}
	bytes, sum, ok := decodeSnapshotHead(g.memory.Buf[:pageSize])
	if !ok || int64(bytes) != g.snapshot {
		return errors.New("the head of its snapshot was changed")
	}
	got := crc32.New(castagnoli)
	if _, err := io.Copy(got, io.NewSectionReader(g.file, int64(len(g.memory.Buf)), g.snapshot)); err != nil {
		return err
	}
	if got.Sum32() != sum {
		return errors.New("its snapshot was changed")
	}
	return nil
}
