package tsdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	promtsdb "github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/access"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/freespace"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo/tsdb/internal/census"
	"github.com/slowburn/slowburn/slo/tsdb/internal/damage"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promlog"
)

// count takes a census of the series that were replayed at the start.
func (e *embedded) count() (err error) {
	reader, err := e.db.Head().Index()
	if err != nil {
		return fmt.Errorf("read the index of the head: %w", err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	name, value := index.AllPostingsKey()
	postings, err := reader.Postings(context.Background(), name, value)
	if err != nil {
		return fmt.Errorf("list the series of the head: %w", err)
	}
	var builder labels.ScratchBuilder
	var parts []chunks.Meta
	for postings.Next() {
		parts = parts[:0]
		if err := reader.Series(postings.At(), &builder, &parts); err == nil { // else it is gone since
			e.census.Note(postings.At(), census.Units(int(builder.Labels().ByteSize()), 0), false)
		}
	}
	return postings.Err()
}

// isAhead reports whether the head has samples further in the future than a sender's clock may be: then the clock was set back,
// and the database rejects the present.
func (e *embedded) isAhead(now time.Time) bool {
	return e.db.Head().MaxTime() > now.Add(maxAhead+clock.JumpAllowed).UnixMilli()
}

// closeAhead closes the database and moves aside what lies after now, to the directory that it returns. Earlier samples of the
// head become a block, and so do those of a block that reaches beyond now: compaction makes blocks of the future while the
// clock is wrong.
func (e *embedded) closeAhead(now time.Time) (aside string, err error) {
	end := now.UnixMilli()
	e.loop.Stop() // nothing must change the blocks that are written below
	if head := e.db.Head(); head.MinTime() < end {
		if err := e.db.CompactHead(promtsdb.NewRangeHead(head, head.MinTime(), end)); err != nil {
			e.logger.Error("writing a block of the last hours failed: their samples are moved aside too", zap.Error(err))
		}
	}
	ahead := slices.Clone(damage.Log)
	for _, b := range e.db.Blocks() {
		if b.MaxTime() <= now.Add(maxAhead).UnixMilli() {
			continue
		}
		ahead = append(ahead, filepath.Base(b.Dir()))
		if b.MinTime() < end {
			if err := e.split(b, end); err != nil {
				e.logger.Error("splitting a block failed: its samples of the past are moved aside too", zap.String("block", b.Dir()), zap.Error(err))
			}
		}
	}
	if err := e.close(); err != nil {
		return "", err
	}
	return damage.Move(e.config.Directory, ".ahead-", ahead)
}

// split writes a block of the samples of b before end, in Unix ms. Without such samples it writes none.
func (e *embedded) split(b *promtsdb.Block, end int64) error {
	compactor, err := promtsdb.NewLeveledCompactor(context.Background(), nil, promlog.New(e.logger), []int64{promtsdb.DefaultBlockDuration}, nil, nil)
	if err != nil {
		return err
	}
	_, err = compactor.Write(e.config.Directory, b, b.MinTime(), end, nil)
	return err
}

// errNoRoom says that the volume is too full to open the database.
var errNoRoom = errors.New("no room")

// openRoom is the disk space that opening takes beside chunks, in bytes.
const openRoom = 4 << 20

// roomToOpen returns an error that wraps errNoRoom if the volume has less room than opening the database may take: the replayed
// log becomes chunks in files, and a full disk would end the process, on a goroutine of Prometheus.
func roomToOpen(directory string) error {
	need := int64(openRoom)
	for _, log := range []string{"wal", "wbl"} {
		entries, _ := os.ReadDir(filepath.Join(directory, log)) // where it is not there, there is nothing to read back
		for _, entry := range entries {
			if info, err := entry.Info(); err == nil {
				need += info.Size()
			}
		}
	}
	space, err := freespace.Of(directory)
	if err != nil || space.Free >= need {
		return nil //nolint:nilerr // nobody knows how much there is
	}
	return fmt.Errorf("the time series database in %s is not open: reading it back may take %s, and the volume has %s free: %w: free space there",
		directory, units.About(need), units.About(space.Free), errNoRoom)
}

// openDamaged opens the database. It first moves parts aside that the disk cannot read. If opening fails even so, it moves
// aside the chunks of the last hours, which are in the log too, and then the log.
func openDamaged(directory string, logger *zap.Logger, open func() (*embedded, error)) (*embedded, error) {
	aside := func(parts []string, cause error) error {
		to, err := damage.Move(directory, ".damaged-", parts)
		if err != nil {
			return errors.Join(cause, err)
		}
		logger.Error("unreadable part of the time series database moved aside", zap.Strings("part", parts),
			zap.String("directory", directory), zap.String("aside", to), zap.Error(cause))
		return nil
	}
	if err := roomToOpen(directory); err != nil {
		return nil, err
	}
	if parts, cause := damage.Unreadable(directory); cause != nil {
		if err := aside(parts, cause); err != nil {
			return nil, explainOpen(directory, err)
		}
	}
	db, err := open()
	for _, parts := range [][]string{damage.Chunks, damage.Log} {
		if err == nil || !isDamage(directory, err) {
			return db, err
		}
		if err := aside(parts, err); err != nil {
			return nil, err
		}
		db, err = open()
	}
	return db, err
}

// isDamage reports whether moving parts of the database aside may help to open it.
func isDamage(directory string, err error) bool {
	return !errors.Is(err, errNoRoom) && !errors.Is(err, syscall.EWOULDBLOCK) && access.Advice(err) == "" && freespace.Advice(directory, err) == ""
}
