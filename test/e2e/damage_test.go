//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// damageFiles are patterns of files below the data directory. Of several matches, the first one in use is damaged.
var damageFiles = []string{"spans/*.seg", "spans/*.jnl", "slo.db", "traces.db", "sli*.counts", "tsdb/wal/0*", "tsdb/chunks_head/0*"}

// damageOf are the kinds of damage to a file, by name.
var damageOf = map[string]func(t *testing.T, path string){
	"truncated": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
	"bits flipped": func(t *testing.T, path string) {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		f, err := os.OpenFile(path, os.O_WRONLY, 0) // in place, so that mappings change too
		require.NoError(t, err)
		defer f.Close()
		for at := int64(8); at < int64(len(content)); at += 256 {
			_, err = f.WriteAt([]byte{^content[at]}, at)
			require.NoError(t, err)
		}
	},
	"removed":   func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
	"read-only": func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o400)) },
	// unreadable can be opened, and every read of it fails. Only files that no later start writes can be unreadable here.
	"unreadable": makeUnreadable,
	// full applies to the volume, slow to system calls: see damageCase.
	"full": nil,
	"slow": nil,
}

var damageNames = []string{"truncated", "bits flipped", "removed", "read-only", "unreadable", "full", "slow"}

// damageAlways are the rows that are always tested; E2E_DAMAGE=all tests all, as `make soak` does, and E2E_DAMAGE=write writes the table.
var damageAlways = []string{"slo.db truncated", "traces.db bits flipped", "spans/*.seg truncated", "tsdb/wal/0* unreadable"}

const damageTable = "../../docs/operations.md"

// The table in docs/operations.md has the gateway's behaviour for each file and damage, while it runs and at its start.
func TestDamageTable(t *testing.T) {
	mode := os.Getenv("E2E_DAMAGE")
	said := readDamageTable(t)
	found := map[string][2]string{}
	var mu sync.Mutex
	t.Run("rows", func(t *testing.T) {
		for _, file := range damageFiles {
			for _, damage := range damageNames {
				name := file + " " + damage
				if damage == "full" && file != damageFiles[0] {
					continue // the whole volume is full
				}
				if damage == "unreadable" && !strings.HasPrefix(file, "tsdb/") {
					continue
				}
				if mode == "" && !slices.Contains(damageAlways, name) {
					continue
				}
				t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
					t.Parallel()
					running, atStart := damageCase(t, file, damage, true), damageCase(t, file, damage, false)
					mu.Lock()
					defer mu.Unlock()
					found[name] = [2]string{running, atStart}
					t.Logf("| `%s` | %s | %s | %s |", file, damage, running, atStart)
					if mode != "write" {
						assert.Equal(t, said[name], [2]string{running, atStart}, "the table in %s", damageTable)
					}
				})
			}
		}
	})
	if mode == "write" {
		writeDamageTable(t, found)
	}
}

// damageCase damages a file of a running gateway, or of one that is then started, and returns the consequences in a few words.
func damageCase(t *testing.T, file, damage string, running bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.Mkdir(dir, 0o700))
	if damage == "full" {
		smallVolume(t, dir)
	}
	g := newGateway(t, builtGateway(t), []string{"SLOWBURN_DATA_DIR=" + dir, "SLOWBURN_BACKEND=" + freePort(t)}, "testdata/damage.yaml")
	g.start(t)
	use := &usage{client: g.client(t), made: newTraffic(3)}
	for range 3 {
		use.all(t, g)
	}
	require.Eventually(t, func() bool { use.all(t, g); return inUse(dir, file) != "" }, patience, 100*time.Millisecond, "there is no %s", file)
	before := unwell(g.readyz(t))
	path := inUse(dir, file)
	hurt := func() {
		switch damage {
		case "full":
			fill(t, filepath.Join(dir, "filler"))
		case "slow":
			slowDown(t, g.cmd.Process.Pid, path)
		default:
			damageOf[damage](t, path)
		}
	}
	if running {
		hurt()
	} else {
		require.NoError(t, g.cmd.Process.Signal(syscall.SIGKILL))
		<-g.done
		if damage != "slow" {
			hurt()
		}
		g.process = start(t, "gateway", g.env, g.program, g.configs...)
		if damage == "slow" {
			hurt()
		}
		if !g.lives(t) {
			return "does not start: " + endOf(g)
		}
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && !ended(g) && g.readyz(t).status != http.StatusOK; {
			<-time.After(50 * time.Millisecond) // the gateway recovers its files
		}
		use = &usage{client: g.client(t), made: newTraffic(4)}
	}
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end) && !ended(g); {
		use.all(t, g)
	}
	for end := time.Now().Add(patience); damage == "full" && !use.refusedLast && time.Now().Before(end) && !ended(g); {
		use.all(t, g) // until the room that was set aside is used up
	}
	if ended(g) {
		return "ends: " + endOf(g)
	}
	said := []string{"goes on"}
	if moved(dir) {
		said = append(said, "moved aside")
	}
	if use.refusedLast {
		said = append(said, "spans are refused")
	}
	if damage == "full" {
		return strings.Join(said, "; ") // which components report it depends on which needs room first
	}
	if worse := slices.DeleteFunc(unwell(g.readyz(t)), func(id string) bool { return slices.Contains(before, id) }); len(worse) > 0 {
		said = append(said, "`/readyz` names "+strings.Join(worse, ", "))
	}
	began := time.Now()
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.done:
	case <-time.After(patience):
	}
	if took := time.Since(began); took > 10*time.Second {
		said = append(said, "SIGTERM takes long")
	}
	return strings.Join(said, "; ")
}

// lives reports whether a started gateway answers before it ends.
func (g *gateway) lives(t *testing.T) bool {
	t.Helper()
	require.Eventually(t, func() bool {
		if ended(g) {
			return true
		}
		resp, err := http.Get("http://" + g.web + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return true
	}, patience, 50*time.Millisecond)
	return !ended(g)
}

func ended(g *gateway) bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

// endOf returns the kind of the gateway's last error.
func endOf(g *gateway) string {
	text, _ := os.ReadFile(g.log)
	for _, what := range []string{"SIGBUS", "panic:", "no space left on device", "permission denied", "is damaged", "corruption"} {
		if _, rest, ok := strings.Cut(string(text), what); ok {
			line, _, _ := strings.Cut(rest, "\n")
			return strings.TrimSpace(what + line[:min(len(line), 120)])
		}
	}
	return string(tail(text, 200))
}

// inUse returns the first non-empty file of a pattern.
func inUse(dir, pattern string) string {
	all, _ := filepath.Glob(filepath.Join(dir, pattern))
	for _, path := range all {
		begin := make([]byte, 8)
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		n, _ := f.Read(begin)
		_ = f.Close()
		if info, err := os.Stat(path); err == nil && filepath.Ext(path) == ".db" && info.Size() > 0 {
			return path
		}
		if n > 0 && strings.Trim(string(begin[:n]), "\x00") != "" && string(begin[:n]) != "slowfree" {
			return path
		}
	}
	return ""
}

// moved reports whether a file below the directory was moved aside.
func moved(dir string) (found bool) {
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
		found = found || strings.Contains(filepath.Base(path), ".damaged")
		return nil
	})
	return found
}

// unwell returns the components that have a problem in /readyz.
func unwell(r readyState) (ids []string) {
	for _, c := range r.Components {
		if !c.OK {
			ids = append(ids, "`"+c.ID+"`")
		}
	}
	slices.Sort(ids)
	return ids
}

// usage makes a gateway use each of its files.
type usage struct {
	client      ptraceotlp.GRPCClient
	made        traffic
	n           int
	refusedLast bool // the last request's spans
}

func (u *usage) all(t *testing.T, g *gateway) {
	t.Helper()
	u.n++
	for _, td := range u.made.trace(failing, time.Now()) {
		u.export(t, td)
	}
	rootless := ptrace.NewTraces()
	span := newScope(rootless, "checkout").AppendEmpty()
	span.SetTraceID(u.made.id())
	span.SetSpanID(pcommon.SpanID{1})
	span.SetParentSpanID(pcommon.SpanID{2})
	u.export(t, rootless)

	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("e2e_damage")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	p.SetIntValue(int64(u.n))
	body, err := new(pmetric.ProtoMarshaler).MarshalMetrics(md)
	require.NoError(t, err)
	ask := func(method, address, body string) {
		ctx, cancel := timeLimit(t)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-protobuf")
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	ask(http.MethodPost, "http://"+g.http+"/v1/metrics", string(body))
	ask(http.MethodGet, "http://"+g.web+"/api/v1/query?query="+url.QueryEscape("e2e_damage"), "")
	ask(http.MethodGet, "http://"+g.web+"/api/alerts/v1/deliveries", "")
	ask(http.MethodGet, "http://"+g.web+"/api/traces/v1/traces", "")
	<-time.After(50 * time.Millisecond)
}

func (u *usage) export(t *testing.T, td ptrace.Traces) {
	t.Helper()
	ctx, cancel := timeLimit(t)
	defer cancel()
	_, err := u.client.Export(ctx, ptraceotlp.NewExportRequestFromTraces(td))
	u.refusedLast = err != nil
}

// smallVolume mounts a small volume.
func smallVolume(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system")
	}
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=0700,size="+strconv.Itoa(diskSize), "tmpfs", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// slowDown makes each system call that writes, reads or flushes a file take half a second longer.
func slowDown(t *testing.T, pid int, path string) {
	t.Helper()
	program, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	cmd := exec.Command(program, "-f", "-qq", "-p", strconv.Itoa(pid), "-P", path, "-o", "/dev/null",
		"-e", "inject=pwrite64,pread64,write,read,fsync,fdatasync,msync,fallocate:delay_enter=500000")
	run(t, "strace", cmd)
	<-time.After(500 * time.Millisecond) // until it has attached
}

// damageRow matches a row of the table in the docs: file, damage, behaviour while the gateway runs, and at its start.
var damageRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([a-z -]+) \\| (.*?) \\| (.*?) \\|$")

func readDamageTable(t *testing.T) map[string][2]string {
	t.Helper()
	text, err := os.ReadFile(damageTable)
	require.NoError(t, err)
	said := map[string][2]string{}
	for _, row := range damageRow.FindAllStringSubmatch(string(text), -1) {
		said[row[1]+" "+row[2]] = [2]string{row[3], row[4]}
	}
	return said
}

func writeDamageTable(t *testing.T, found map[string][2]string) {
	t.Helper()
	var rows strings.Builder
	for _, file := range damageFiles {
		for _, damage := range damageNames {
			if f, ok := found[file+" "+damage]; ok {
				fmt.Fprintf(&rows, "| `%s` | %s | %s | %s |\n", file, damage, f[0], f[1])
			}
		}
	}
	text, err := os.ReadFile(damageTable)
	require.NoError(t, err)
	const begin, end = "<!-- damage: written by a test -->\n", "<!-- damage: end -->\n"
	head, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, end)
	require.True(t, ok)
	table := "\n| file | damage | while it runs | at start |\n|---|---|---|---|\n" + rows.String() + "\n"
	require.NoError(t, os.WriteFile(damageTable, []byte(head+begin+table+end+rest), 0o600))
}

// All files and directories of the gateway are accessible to its user only.
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	g := newGateway(t, builtGateway(t), []string{"SLOWBURN_DATA_DIR=" + dir, "SLOWBURN_BACKEND=" + freePort(t)}, "testdata/damage.yaml")
	g.start(t)
	use := &usage{client: g.client(t), made: newTraffic(3)}
	require.Eventually(t, func() bool {
		use.all(t, g)
		return !slices.ContainsFunc(damageFiles, func(pattern string) bool { return inUse(dir, pattern) == "" })
	}, patience, 100*time.Millisecond)
	g.stop(t)
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		files++
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		assert.Zero(t, info.Mode().Perm()&^want, "%s has mode %o", path, info.Mode().Perm())
		return nil
	}))
	assert.Greater(t, files, 10)
}

// timeLimit is the longest duration of a request.
func timeLimit(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), 5*time.Second)
}
