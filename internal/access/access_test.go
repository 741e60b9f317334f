package access_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/internal/access"
)

func TestAdvice(t *testing.T) {
	denied := fmt.Sprintf("let the user who runs slowburn (uid %d) write there, in Kubernetes by securityContext.fsGroup: %d", os.Getuid(), os.Getgid())
	for _, c := range []struct {
		err  error
		want string
	}{
		{fs.ErrPermission, denied},
		{&fs.PathError{Op: "mkdir", Path: "/x", Err: syscall.EACCES}, denied},
		{fmt.Errorf("wrapped: %w", syscall.EPERM), denied},
		{fmt.Errorf("wrapped: %w", syscall.EROFS), "the file system is read-only: mount it so that it can be written"},
	} {
		assert.Contains(t, access.Advice(c.err), c.want, "%v", c.err)
	}
	for _, other := range []error{nil, errors.New("anything"), syscall.ENOSPC, fs.ErrExist} {
		assert.Empty(t, access.Advice(other), "%v", other)
	}
}
