package contrib_test

import (
	"testing"

	"github.com/slowburn/slowburn/processor/policy/internal/datatest"
)

func TestDecisions(t *testing.T) { datatest.Run(t, "testdata/*.txt") }
