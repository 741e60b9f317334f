package conditions_test

import (
	"testing"

	"github.com/slowburn/slowburn/processor/policy/internal/datatest"
)

func TestDecisions(t *testing.T) { datatest.Run(t, "testdata/*.txt") }

func TestBadPolicies(t *testing.T) { datatest.RunBad(t, "testdata/bad/*.bad.yaml") }
