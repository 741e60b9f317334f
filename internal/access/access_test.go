package access

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAdvice(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	assert.Contains(t, Advice(), fmt.Sprintf("user %d,", os.Geteuid()))
	assert.NotContains(t, Advice(), "fsGroup")
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	assert.Contains(t, Advice(), fmt.Sprintf("fsGroup: %d", os.Getegid()))
}
