package main

import (
	"debug/elf"
	"slices"
	"testing"
)

func TestCount(t *testing.T) {
	section := func(typ elf.SectionType, flags elf.SectionFlag, size uint64) *elf.Section {
		return &elf.Section{SectionHeader: elf.SectionHeader{Type: typ, Flags: flags, Size: size}}
	}
	sections := []*elf.Section{
		{}, section(elf.SHT_PROGBITS, elf.SHF_ALLOC, 1000), section(elf.SHT_NOBITS, elf.SHF_ALLOC, 5000), section(elf.SHT_PROGBITS, 0, 9999),
	}
	symbol := func(name string, in elf.SectionIndex, size uint64) elf.Symbol {
		return elf.Symbol{Name: name, Section: in, Size: size, Info: byte(elf.STT_FUNC)}
	}
	symbols := []elf.Symbol{
		symbol("github.com/a/b.F", 1, 100), symbol("github.com/a/b/v2/c.(*T).G", 1, 30), symbol("type:.eq.github.com/a/b/v2.S", 1, 7),
		symbol("main.main", 1, 5), symbol("net/http.Get", 1, 50), symbol("github.com/a/b.buffer", 2, 5000), symbol("runtime.pclntab", 1, 200),
		symbol("github.com/a/bc.F", 1, 9), symbol("debug", 3, 9999), symbol("printf", elf.SHN_UNDEF, 0), symbol("gopkg.in/yaml%2ev3.F", 1, 3),
	}
	got := count(sections, symbols, []string{"example.com/main", "github.com/a/b", "github.com/a/b/v2", "gopkg.in/yaml.v3"})
	want := []share{
		{shared, 1000 - 100 - 30 - 7 - 5 - 50 - 9 - 3}, {"github.com/a/b", 100}, {"std", 59}, {"github.com/a/b/v2", 37},
		{"example.com/main", 5}, {"gopkg.in/yaml.v3", 3},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%v, not %v", got, want)
	}
}
