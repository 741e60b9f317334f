// Package access advises what to do if the process may not write to its files. Its functions are Advice, OpenToAll and KeepPrivate.
package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Advice returns what to do if an error says that the process's user, or the file system, forbids writing: a clause for the end of a
// message. It is empty for other errors. The commonest cause is a Kubernetes volume that belongs to root.
func Advice(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("let the user who runs slowburn (uid %d) write there, in Kubernetes by securityContext.fsGroup: %d, or set another directory",
			os.Getuid(), os.Getgid())
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only: mount it so that it can be written, or set another directory"
	default:
		return ""
	}
}
