package tracestore

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/host"
)

// health is the result of the last open, write or read of the file. Its methods may be called concurrently.
type health struct {
	file   string
	logger *zap.Logger
	found  atomic.Pointer[host.Health]
	// aside says that a file of another format version was moved aside since the start; nil if none was.
	aside atomic.Pointer[string]
}

// succeed and fail set the health, and log when it changes.
func (h *health) succeed() {
	if was := h.found.Load(); was != nil && !was.OK {
		h.logger.Info("trace store working", zap.String("file", h.file))
		h.report(host.Health{OK: true, Message: "Traces are stored in " + h.file + "."})
	}
}

func (h *health) fail(what string, err error) {
	message := fmt.Sprintf("%s: %v.", what, err)
	if was := h.found.Load(); was == nil || was.Message != message {
		h.logger.Error(what+".", zap.Error(err))
	}
	h.report(host.Health{Message: message})
}

func (h *health) report(found host.Health) { h.found.Store(&found) }

func (h *health) setMoved(message string) { h.aside.Store(&message) }

// Probe reports whether traces are being stored. The gateway accepts spans even if not.
func (h *health) Probe(context.Context) host.Health {
	found := *h.found.Load()
	if aside := h.aside.Load(); aside != nil {
		found.Message = strings.TrimSuffix(found.Message, ".") + "; " + *aside + "."
	}
	return found
}
