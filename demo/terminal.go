package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/slowburn/slowburn/demo/shop"
)

// terminal reads lines, and switches the fault whose number or name a line has.
type terminal struct {
	out    io.Writer
	faults *shop.Faults
	quit   func()
}

func (t *terminal) menu() {
	fmt.Fprintln(t.out, "\nThe shop is open. The dashboard is at http://127.0.0.1:8080")
	fmt.Fprintln(t.out, "Type a number and Enter to switch a fault on or off, q to stop:")
	for i, fault := range shop.All() {
		state := "off"
		if t.faults.On(fault) {
			state = "ON"
		}
		fmt.Fprintf(t.out, "  %d  %-13s %-3s  %s\n", i+1, fault, state, fault.Text())
	}
}

func (t *terminal) read(lines *bufio.Scanner) {
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch line {
		case "":
			t.menu()
			continue
		case "q", "quit", "exit":
			t.quit()
			return
		}
		fault, err := parse(line)
		if err != nil {
			fmt.Fprintln(t.out, err)
			continue
		}
		on := !t.faults.On(fault)
		t.faults.Set(fault, on)
		state := "off: "
		if on {
			state = "ON: "
		}
		fmt.Fprintln(t.out, fault, state+fault.Text())
	}
}

func parse(line string) (shop.Fault, error) {
	number, err := strconv.Atoi(line)
	if err != nil {
		return shop.ParseFault(line)
	}
	if number < 1 || number > len(shop.All()) {
		return 0, fmt.Errorf("there is no fault %d: it must be 1 to %d", number, len(shop.All()))
	}
	return shop.Fault(number - 1), nil
}
