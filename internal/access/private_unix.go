//go:build unix

package access

import "syscall"

// KeepPrivate makes what the process writes from now on readable only for its user: files get 0600, folders 0700, including those of
// the embedded Prometheus database, which asks for more. Existing files keep their mode.
func KeepPrivate() { syscall.Umask(0o077) }
