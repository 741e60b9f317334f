// Command size says which modules a binary is made of, by the bytes that each takes, largest first:
//
//	make deploy-size
//
// It counts code and data that the linker names by package, in the sections that a file holds and a stripped one keeps. What has no name
// of its own (tables of line numbers, types, strings) is "shared", and grows with the rest.
package main

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "size: name a binary that has symbols")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run(binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	modules := []string{info.Main.Path}
	for _, dep := range info.Deps {
		modules = append(modules, dep.Path)
	}
	file, err := elf.Open(binary)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	symbols, err := file.Symbols()
	if err != nil {
		return fmt.Errorf("%s: %w: build it without -s", binary, err)
	}
	print(count(file.Sections, symbols, modules))
	return nil
}

// share is what a module takes, in bytes.
type share struct {
	module string
	bytes  int64
}

const shared = "shared: line tables, types, strings"

// count sums the symbols by module, largest first, and as shared what no symbol covers.
func count(sections []*elf.Section, symbols []elf.Symbol, modules []string) []share {
	bytesOf, covered := map[string]int64{}, map[int]uint64{}
	held := func(i int) bool { // in the file, also when it is stripped
		return i < len(sections) && sections[i].Type != elf.SHT_NOBITS && sections[i].Flags&elf.SHF_ALLOC != 0
	}
	for _, s := range symbols {
		if i := int(s.Section); held(i) && elf.ST_TYPE(s.Info) != elf.STT_SECTION {
			bytesOf[moduleOf(s.Name, modules)] += int64(s.Size)
			covered[i] += s.Size
		}
	}
	for i, s := range sections {
		if held(i) && s.Size > covered[i] {
			bytesOf[shared] += int64(s.Size - covered[i])
		}
	}
	var shares []share
	for module, n := range bytesOf {
		shares = append(shares, share{module, n})
	}
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.module, b.module))
	})
	return shares
}

// moduleOf is the module of a symbol: the longest that its package begins with, "std" for the standard library.
func moduleOf(symbol string, modules []string) string {
	name := symbol
	for _, prefix := range []string{"type:.eq.", "type:.hash.", "type:.namedata.", "type:", "go:itab."} {
		name = strings.TrimPrefix(name, prefix)
	}
	name = strings.ReplaceAll(strings.TrimLeft(name, "*[]"), "%2e", ".")
	best := ""
	for _, m := range modules {
		if len(m) > len(best) && strings.HasPrefix(name, m) && strings.ContainsAny(name[len(m):][:min(1, len(name)-len(m))], "/.") {
			best = m
		}
	}
	switch {
	case best != "":
		return best
	case strings.HasPrefix(name, "main."):
		return modules[0]
	case strings.HasPrefix(name, "runtime.") && !strings.Contains(name, "("), strings.HasPrefix(name, "go:"), strings.HasPrefix(symbol, "type:"):
		return shared
	default:
		return "std"
	}
}

// print writes a table of the largest, and the sum of all.
func print(shares []share) {
	const most = 13 // ten dependencies beside what is shared, std and the product
	var sum int64
	fmt.Print("| module | MB |\n|---|---|\n")
	for i, s := range shares {
		sum += s.bytes
		if i < most {
			fmt.Printf("| `%s` | %.1f |\n", s.module, float64(s.bytes)/1e6)
		}
	}
	fmt.Printf("\nAll together %.1f MB.\n", float64(sum)/1e6)
}
