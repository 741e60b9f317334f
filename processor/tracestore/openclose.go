package tracestore

import (
	"errors"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

// lostTraces is what is lost where a file of another format version was moved aside.
const lostTraces = "traces stored before are not shown"

// moved logs and keeps that the file was of another format version.
func (w *writer) moved(m otherformat.Moved) {
	moved := []otherformat.Moved{m}
	otherformat.Log(w.logger, moved, tracefile.FormatVersion, lostTraces)
	w.health.setMoved(otherformat.Message(moved, tracefile.FormatVersion, lostTraces))
}

// open opens the file, or starts a new one in the place of one that is damaged or of another format.
func (w *writer) open() {
	file, err := tracefile.Open(w.path, w.options)
	if errors.Is(err, state.ErrCorrupt) {
		w.startAnew(err)
		return
	}
	w.use(file, err)
}

// startAnew moves the damaged file aside and opens a new one: what it held was for looking at, and the next traces matter more.
func (w *writer) startAnew(damage error) {
	aside, err := tracefile.MoveAside(w.path)
	var file *tracefile.File
	if err == nil {
		w.logger.Error("the trace store's file is damaged: it was moved aside, and a new one begun", zap.String("moved_to", aside), zap.Error(damage))
		file, err = tracefile.Open(w.path, w.options)
	}
	w.use(file, err)
}

// use goes on with the file that was opened, or reports that none was.
func (w *writer) use(file *tracefile.File, err error) {
	if err != nil {
		w.health.fail("The trace store cannot open its file; what is to be stored is refused until it can", err)
		return
	}
	w.file.Store(file)
	w.health.succeed()
}

// close gives back what could not be written, and closes the file.
func (w *writer) close() {
	for left := w.queue.take(maxQueueBytes); len(left.items) > 0; left = w.queue.take(maxQueueBytes) {
		left.answer(errStopped)
	}
	file := w.file.Swap(nil)
	if file == nil {
		return
	}
	if err := file.Close(); err != nil {
		w.logger.Error("closing the trace store's file failed", zap.String("file", w.path), zap.Error(err))
	}
}
