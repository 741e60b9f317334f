//go:build unix

package access

import "syscall"

// KeepPrivate lets nobody but the process's user read what the process writes from now on: files get 0600, folders 0700, those of the
// embedded Prometheus database too, which asks for more. What exists keeps its mode.
func KeepPrivate() { syscall.Umask(0o077) }
