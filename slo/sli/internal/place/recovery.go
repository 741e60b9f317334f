package place

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/slowburn/slowburn/internal/otherformat"
)

var (
	errDamaged   = errors.New("it is damaged")
	errAbandoned = errors.New("their file could no longer be written, and counting went on in memory")
	errAnew      = errors.New("the machine was restarted without stopping the gateway")
	errUnborn    = errors.New("the gateway ended while their first snapshot was written")
)

// parsedFile is the contents of a file, as far as they could be read.
type parsedFile struct {
	path     string
	head     head
	state    state
	complete uint64 // bytes of the log
	log      []byte
	snapshot []byte // of a file that is committed or closed
	damage   error  // nil if all of the above is sound
}

// snapshotted reports whether the file has a snapshot, readable or not.
func (f *parsedFile) snapshotted() bool { return f.state == stateCommitted || f.state == stateClosed }

func readFile(path string) (parsedFile, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return parsedFile{}, err
	}
	return parse(path, b), nil
}

// parse parses a file. It ignores the end of one in stateBegun, which was still being written.
func parse(path string, b []byte) parsedFile {
	f := parsedFile{path: path}
	var ok bool
	if f.head, ok = decodeHead(b); !ok {
		f.damage = errors.New("it cannot be read")
		if f.head.version != formatVersion {
			f.damage = &otherformat.Error{Version: otherformat.Version(f.head.version), Reads: formatVersion}
		}
		return f
	}
	if f.state, f.complete, ok = readMark(b, f.head.salt); !ok {
		f.damage = errors.New("how much of its log is complete cannot be read")
		return f
	}
	rest := uint64(len(b)) - pageSize
	if rest < f.head.room {
		f.damage = errors.New("it was cut off in its log")
		return f
	}
	f.log = b[pageSize:][:f.head.room]
	rest -= f.head.room
	if !f.snapshotted() {
		return f
	}
	bytes, sum, ok := decodeSnapshotHead(b)
	if !ok {
		f.damage = errors.New("the head of its snapshot cannot be read")
		return f
	}
	if bytes > rest {
		f.damage = fmt.Errorf("it was cut off in its snapshot, which has %d bytes of %d", rest, bytes)
		return f
	}
	if f.snapshot = b[pageSize+f.head.room:][:bytes]; crcOf(f.snapshot) != sum {
		f.damage = errors.New("its snapshot cannot be read")
	}
	return f
}

// recoverFrom passes the records of the files, which are oldest first, to take: those of the newest snapshot, then those of the
// logs from there on.
func recoverFrom(files []parsedFile, boot string, take func([]byte) error) (f Found, lost error) {
	first := len(files) - 1
	for first >= 0 && files[first].damage == nil && !files[first].snapshotted() {
		first--
	}
	if first < 0 {
		return Found{}, withoutSnapshot(files)
	}
	for _, file := range files[first:] {
		if file.damage != nil {
			return f, damagedError(file, file.damage)
		}
		if file.state == stateAbandoned {
			return f, errAbandoned
		}
		if file.head.boot != boot && file.state != stateClosed {
			return f, errAnew
		}
	}
	n, err := readSnapshot(files[first].snapshot, take)
	if err != nil {
		return f, damagedError(files[first], err)
	}
	f.Records += n
	for _, file := range files[first:] {
		n, err := readLog(file.log, file.head.salt, file.complete, take)
		if err != nil {
			return f, damagedError(file, err)
		}
		f.Records += n
	}
	return f, nil
}

func damagedError(file parsedFile, cause error) error {
	if other := (*otherformat.Error)(nil); errors.As(cause, &other) {
		return fmt.Errorf("%s: %w", file.path, cause)
	}
	return fmt.Errorf("%s: %w: %w", file.path, cause, errDamaged)
}

// withoutSnapshot returns why counts were lost with files none of which has a snapshot, nil if they have none.
func withoutSnapshot(files []parsedFile) error {
	for _, file := range files {
		if file.state == stateAbandoned {
			return errAbandoned
		}
		if len(file.log) > 0 && binary.LittleEndian.Uint64(file.log) != 0 {
			return errUnborn
		}
	}
	return nil // nothing was counted yet
}
