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

// open opens the file. It replaces a file that is damaged or of another format by a new one.
func (w *writer) open() {
	file, err := tracefile.Open(w.path, w.options)
	if errors.Is(err, state.ErrCorrupt) {
		w.startAnew(err)
		return
	}
	w.use(file, err)
}

// startAnew moves the damaged file aside and creates a new one: its traces were only for looking at, and the next ones matter
// more.
func (w *writer) startAnew(damage error) {
	aside, err := tracefile.MoveAside(w.path)
	var file *tracefile.File
	if err == nil {
		w.logger.Error("the trace store's file is damaged: it was moved aside, and a new one begun", zap.String("moved_to", aside), zap.Error(damage))
		file, err = tracefile.Open(w.path, w.options)
	}
	w.use(file, err)
}

// use sets the opened file, or reports the failure.
func (w *writer) use(file *tracefile.File, err error) {
	if err != nil {
		w.health.fail("The trace store cannot open its file; traces are refused until it can", err)
		return
	}
	w.file.Store(file)
	w.health.succeed()
}

// close refuses the traces left in the queue, and closes the file.
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
