// Package access says what to do where the process may not write to its files. Its functions are Advice, OpenToAll and KeepPrivate.
package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Advice returns what to do about an error that the process's user, or the file system, does not let it write: a clause for the end of a
// message. It is empty where the error is another. The commonest cause is a volume in Kubernetes that belongs to root.
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
