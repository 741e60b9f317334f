package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

type options struct {
	root      string
	mutants   int
	seed      uint64
	least     float64
	importers int
	parallel  int
	list      bool
	patterns  []string
}

// module is the product's.
const module = "github.com/slowburn/slowburn/"

var everything = []string{"./cmd/...", "./internal/...", "./processor/...", "./slo/...", "./web/..."}

func main() {
	var o options
	flag.StringVar(&o.root, "root", "..", "the product's module")
	flag.IntVar(&o.mutants, "mutants", 200, "how many")
	flag.Uint64Var(&o.seed, "seed", 0, "seed of the draw; 0 for one by the clock")
	flag.Float64Var(&o.least, "least", 0, "fail where a smaller percentage is killed")
	flag.IntVar(&o.importers, "importers", 3, "at most so many packages that import a mutant's are tested too")
	flag.IntVar(&o.parallel, "parallel", max(1, runtime.GOMAXPROCS(0)), "mutants that are tested at once")
	flag.BoolVar(&o.list, "list", false, "draw and list the mutants, and test none")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: mutate [flags] [packages, as patterns of the go command; all of the product by default]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if o.patterns = flag.Args(); len(o.patterns) == 0 {
		o.patterns = everything
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano() % 1_000_000)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := load(ctx, root, o.patterns)
	if err != nil {
		return err
	}
	sites, err := p.sites()
	if err != nil {
		return err
	}
	mutants, tried := p.draw(sites, o)
	fmt.Printf("seed %d: %d mutants of %d sites in %d packages; %d candidates did not compile\n",
		o.seed, len(mutants), len(sites), len(p.packages), tried-len(mutants))
	if o.list {
		for _, m := range mutants {
			fmt.Println(p.describe(m))
		}
		return nil
	}
	start := time.Now()
	suites, err := p.prepare(ctx, dir, mutants, o)
	if err != nil {
		return err
	}
	fmt.Printf("built and run without mutants: %s\n", time.Since(start).Round(time.Second))
	p.judgeAll(ctx, mutants, suites, o)
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.report(mutants, o, time.Since(start))
}

// draw chooses mutants at random. The same seed gives the same ones, for the same code.
func (p *program) draw(sites []*site, o options) (mutants []*mutant, tried int) {
	rng := rand.New(rand.NewPCG(o.seed, 1))
	for _, i := range rng.Perm(len(sites)) {
		if len(mutants) == o.mutants {
			break
		}
		s := sites[i]
		tried++
		m := &mutant{site: s, variant: s.variants[rng.IntN(len(s.variants))], id: len(mutants) + 1}
		if _, err := p.check(s.file.pkg, map[*source][]byte{s.file: rewrite(s.file, []*mutant{m})}, nil); err == nil {
			mutants = append(mutants, m)
		}
	}
	return mutants, tried
}

// prepare builds the tests, and runs them without a mutant. It returns each package's suites: its own, then its importers'.
func (p *program) prepare(ctx context.Context, dir string, mutants []*mutant, o options) (map[*pkg][]*suite, error) {
	over, err := overlay(dir, mutants)
	if err != nil {
		return nil, err
	}
	built := map[*pkg]*suite{}
	suites := map[*pkg][]*suite{}
	for _, m := range mutants {
		of := m.file.pkg
		if suites[of] != nil {
			continue
		}
		for _, tested := range append([]*pkg{of}, p.importers(of, o.importers)...) {
			if !tested.tested() {
				continue
			}
			if built[tested] == nil {
				s, err := build(ctx, p.root, dir, over, tested)
				if err != nil {
					return nil, err
				}
				if err := s.baseline(ctx, dir); err != nil {
					return nil, err
				}
				fmt.Printf("  %s: %d tests, %s\n", tested.ImportPath, len(s.tests), s.took.Round(10*time.Millisecond))
				if len(s.skipped) > 0 {
					fmt.Printf("    left out, as they fail without a mutant: %s\n", strings.Join(s.skipped, ", "))
				}
				built[tested] = s
			}
			suites[of] = append(suites[of], built[tested])
		}
	}
	return suites, nil
}

// importers returns the tested packages that import a package directly: those of its folder, then those of its room.
func (p *program) importers(of *pkg, most int) []*pkg {
	var near, far []*pkg
	for _, other := range p.packages {
		switch {
		case other == of || !other.tested() || !slices.Contains(other.Deps, of.ImportPath):
		case folder(other.ImportPath, 2) == folder(of.ImportPath, 2):
			near = append(near, other)
		case folder(other.ImportPath, 1) == folder(of.ImportPath, 1) && slices.Contains(other.Imports, of.ImportPath):
			far = append(far, other)
		}
	}
	all := append(near, far...)
	return all[:min(most, len(all))]
}

// folder is the first elements of a package's path in the module.
func folder(path string, elements int) string {
	parts := strings.Split(strings.TrimPrefix(path, module), "/")
	return strings.Join(parts[:min(elements, len(parts))], "/")
}

// judgeAll tests the mutants, several at once, and prints the outcome of each.
func (p *program) judgeAll(ctx context.Context, mutants []*mutant, suites map[*pkg][]*suite, o options) {
	next := make(chan *mutant)
	var workers sync.WaitGroup
	var printing sync.Mutex
	for range o.parallel {
		workers.Go(func() {
			for m := range next {
				judge(ctx, m, suites[m.file.pkg])
				if ctx.Err() != nil {
					continue
				}
				printing.Lock()
				fmt.Printf("%s: %s, %.1f s\n", p.describe(m), m.fate(), m.took.Seconds())
				printing.Unlock()
			}
		})
	}
	for _, m := range mutants {
		next <- m
	}
	close(next)
	workers.Wait()
}

func (p *program) describe(m *mutant) string {
	path, err := filepath.Rel(p.root, m.file.path)
	if err != nil {
		path = m.file.path
	}
	return fmt.Sprintf("%s:%d: `%s` → %s", path, m.line, oneLine(m.before), oneLine(m.after))
}

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 80 {
		text = string(r[:79]) + "…"
	}
	return text
}

func (m *mutant) fate() string {
	switch {
	case m.killer != "":
		return "killed by " + m.killer
	case !m.executed:
		return "SURVIVED, no test executes it"
	}
	return "SURVIVED"
}

// report prints the survivors and the scores.
func (p *program) report(mutants []*mutant, o options, took time.Duration) error {
	type score struct{ killed, all int }
	byPackage := map[string]*score{}
	total := score{}
	fmt.Println("\nsurvivors:")
	for _, m := range mutants {
		name := strings.TrimPrefix(m.file.pkg.ImportPath, module)
		if byPackage[name] == nil {
			byPackage[name] = &score{}
		}
		byPackage[name].all++
		total.all++
		if m.killer == "" {
			fmt.Printf("  %s: %s\n", p.describe(m), m.fate())
			continue
		}
		byPackage[name].killed++
		total.killed++
	}
	if total.all == 0 {
		return errors.New("there is nothing to mutate")
	}
	var names []string
	for name := range byPackage {
		names = append(names, name)
	}
	slices.Sort(names)
	percent := func(s score) float64 { return 100 * float64(s.killed) / float64(s.all) }
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "package\tkilled\tof\t%")
	for _, name := range names {
		s := byPackage[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%.0f\n", name, s.killed, s.all, percent(*s))
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%.1f\n", total.killed, total.all, percent(total))
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("seed %d, %s, %.1f s per mutant\n", o.seed, took.Round(time.Second), took.Seconds()/float64(total.all))
	if percent(total) < o.least {
		return fmt.Errorf("%.1f %% of the mutants are killed, fewer than %g", percent(total), o.least)
	}
	return nil
}
