//go:build e2e

package e2e

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// contractExamples is the largest number of requests that schemathesis generates for an operation; E2E_CONTRACT_EXAMPLES overrides it.
const contractExamples = "25"

// The API keeps its contract: schemathesis generates valid and invalid requests from openapi.yaml, and follows the links from one
// answer to the next request. No answer has status 500, or a status, a media type, a header or a body that is not described.
func TestContract(t *testing.T) {
	program, err := filepath.Abs("contract/.venv/bin/schemathesis")
	require.NoError(t, err)
	require.FileExists(t, program, "run `make test/e2e/contract/.venv/installed` first")
	g := startGateway(t, nil, "testdata/sampling.yaml", "testdata/shadow.yaml")
	made := newTraffic(8)
	sent := made.traces(20, failing)
	g.sendAll(t, sent)
	g.awaitSettled(t)

	check := exec.CommandContext(t.Context(), program, "run", "../../../web/api/openapi.yaml", "--url", "http://"+g.web, "--seed", "1",
		"--max-examples", cmp.Or(os.Getenv("E2E_CONTRACT_EXAMPLES"), contractExamples), "--no-color", "--continue-on-failure",
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,"+
			"unsupported_method,allow_header_conformance,problem_conformance")
	check.Dir = "contract"
	check.Env = append(os.Environ(), "KEPT_TRACE="+traceID(sent[0]).String())
	out, err := check.CombinedOutput()
	assert.NoError(t, err, "%s", tail(out, 20_000))
	t.Logf("%s", tail(out, 1500))
	assert.NotContains(t, g.logged(t), "please report this", "a handler panicked")
}
