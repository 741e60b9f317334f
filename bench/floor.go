package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// floorFile has the figures that --suite floor compares measurements with.
const floorFile = "floor.json"

// slack is the share by which a measurement may be worse than its figure.
const slack = 0.10

// held is a figure that later changes must keep. Most are ratios to a peer on the same machine, so that they are valid on other
// machines too.
type held struct {
	name string
	unit string
	// higher is true if a higher figure is better.
	higher  bool
	measure func(o options, ctx context.Context, dir string) ([]float64, error)
}

var heldFigures = []held{
	{"CPU per span, 9 % kept", "of contrib's", false, ratioOf(reference, "slowburn", nil)},
	{"CPU per span, 9 % kept, with trace_store", "of contrib's", false, ratioOf(reference, "slowburn", func(s *scenario) { s.stored = true })},
	{"CPU per span, 100 % kept", "of that with none kept", false, options.allKept},
	{"CPU per span, attributes in front", "of that without", false, ratioOf("slowburn", "slowburn attributes", nil)},
	{"CPU per span, decoded in front", "of that without", false, ratioOf("slowburn", "slowburn decoded", nil)},
	{"CPU per span, batch in front", "of contrib's with batch", false, ratioOf("contrib batch", "slowburn batch", nil)},
	{"spans/s at full speed", "of contrib's", true, options.fullSpeed},
	{"p99 of an export", "of receiving alone", false, options.exportRatio},
	{"resident memory per buffered span", "bytes", false, options.residentPerSpan},
}

// floor measures the figures and compares them with floor.json. The error names each that is worse by more than slack. With
// --update it writes them to floor.json instead.
func (o options) floor(ctx context.Context, dir string) error {
	chosen := slices.DeleteFunc(slices.Clone(heldFigures), func(h held) bool { return !strings.Contains(h.name, o.only) })
	if len(chosen) == 0 {
		return fmt.Errorf("--only: no figure has %q in its name", o.only)
	}
	want, err := readFloor(floorFile)
	if err != nil {
		return err
	}
	if err := o.buildHard(ctx, dir); err != nil {
		return err
	}
	fmt.Println("| figure | measured | of single runs | held to | |\n|---|---|---|---|---|")
	var errs []error
	for _, h := range chosen {
		values, err := h.measure(o, ctx, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		got := median(values)
		err = h.compare(got, want)
		h.print(os.Stdout, values, want[h.name], err)
		if o.update {
			want[h.name] = got
		} else if err != nil {
			errs = append(errs, err)
		}
	}
	if o.update {
		return writeFloor(floorFile, want)
	}
	return errors.Join(errs...)
}

// compare returns an error if a measurement is too much worse than its figure, or if there is no figure.
func (h held) compare(got float64, want map[string]float64) error {
	bar, ok := want[h.name]
	if !ok || bar <= 0 {
		return fmt.Errorf("%s: %s has no figure; write it on a quiet machine with --suite floor --update", h.name, floorFile)
	}
	worse := got/bar - 1
	if h.higher {
		worse = bar/got - 1
	}
	if worse <= slack {
		return nil
	}
	return fmt.Errorf("%s: %.3f %s is %.0f %% behind %.3f, more than %.0f %%", h.name, got, h.unit, 100*worse, bar, 100*slack)
}

func (h held) print(out io.Writer, values []float64, bar float64, err error) {
	verdict := "ok"
	if err != nil {
		verdict = "behind"
	}
	fmt.Fprintf(out, "| %s, %s | %.3f | %.3f to %.3f | %.3f | %s |\n", h.name, h.unit, median(values), slices.Min(values), slices.Max(values), bar, verdict)
}

func readFloor(file string) (map[string]float64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	want := map[string]float64{}
	if err := json.Unmarshal(text, &want); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return want, nil
}

func writeFloor(file string, figures map[string]float64) error {
	for name, value := range figures {
		figures[name] = float64(int(value*1000+0.5)) / 1000
	}
	text, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

// ratioOf measures the ratio of the cost of a span with b to that with a. Both run at the same time.
func ratioOf(a, b string, change func(*scenario)) func(options, context.Context, string) ([]float64, error) {
	return func(o options, ctx context.Context, dir string) ([]float64, error) {
		s := o.hardLoad()
		s.grouped = false // nothing here is about memory
		if change != nil {
			change(&s)
		}
		return o.ratios(ctx, dir, a, b, s)
	}
}

// allKept measures the ratio of the cost of a span when all traces are kept to that when none is. Both run at the same time.
func (o options) allKept(ctx context.Context, dir string) ([]float64, error) {
	s := o.hardLoad()
	s.grouped, s.configs = false, nil
	var both [2]target
	for i, kept := range []string{"none", "all"} {
		t, err := o.target("slowburn")
		if err != nil {
			return nil, err
		}
		t.name += ", " + kept + " kept"
		t.configs = slices.Concat(t.configs, []string{"configs/kept-backend.yaml", "configs/kept-" + kept + ".yaml"})
		both[i] = t
	}
	return o.pairRatios(ctx, dir, both, s)
}

// inTurn measures two targets in turn and returns the ratios of a value, run by run.
func (o options) inTurn(ctx context.Context, dir, a, b string, s scenario, value func(result) float64) ([]float64, error) {
	j := job{scenario: s}
	for _, name := range []string{a, b} {
		t, err := o.target(name)
		if err != nil {
			return nil, err
		}
		if t.isSlowburn() {
			t.configs = slices.Concat(t.configs, []string{"configs/kept-backend.yaml"})
		}
		j.targets = append(j.targets, t)
	}
	rows, err := o.measureAll(ctx, dir, []job{j})
	if err != nil {
		return nil, err
	}
	var ratios []float64
	for i := range rows[0].Runs {
		ratios = append(ratios, value(rows[1].Runs[i])/value(rows[0].Runs[i]))
	}
	return ratios, nil
}

func (o options) fullSpeed(ctx context.Context, dir string) ([]float64, error) {
	s := o.hardLoad()
	s.name, s.grouped = "as fast as it accepts", false
	s.load.Rate, s.load.Connections, s.wait = 0, 4, min(s.wait, 2*time.Second)
	return o.inTurn(ctx, dir, reference, "slowburn", s, func(r result) float64 { return r.Rate })
}

func (o options) exportRatio(ctx context.Context, dir string) ([]float64, error) {
	s := o.hardLoad()
	s.name, s.grouped = "p99", false
	return o.inTurn(ctx, dir, "raw receive", "slowburn", s, func(r result) float64 { return float64(r.P99) })
}

func (o options) residentPerSpan(ctx context.Context, dir string) ([]float64, error) {
	s := o.hardLoad()
	s.name = "resident memory"
	t, err := o.target("slowburn")
	if err != nil {
		return nil, err
	}
	t.configs = slices.Concat(t.configs, []string{"configs/kept-backend.yaml"})
	rows, err := o.measureAll(ctx, dir, []job{{s, []target{t}}})
	if err != nil {
		return nil, err
	}
	var values []float64
	for _, r := range rows[0].Runs {
		values = append(values, r.Resident/float64(rows[0].Buffered))
	}
	return values, nil
}
