//go:build e2e

package machine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// rounds is how often each figure is taken, in turns with the others; the median counts.
const rounds = 5

// row is one figure of all ways. Goal tells what a rung's ratio must come to.
type row struct {
	name   string
	values map[string]float64
	unit   string
	goal   string
}

// BenchmarkForward measures each way to the guest against the direct one: all in one run,
// in turns. It runs once, whatever -benchtime says.
func BenchmarkForward(b *testing.B) {
	for name, client := range runtimes(b) {
		b.Run(name, func(b *testing.B) {
			if b.N > 1 {
				return // it has been printed
			}
			r := newForwardRig(b, client)
			ways := r.ways(b)
			var rows []row
			for _, m := range []struct {
				name string
				n    int
				ask  byte
			}{{"to the guest, 1 connection", 1, askSink}, {"from the guest, 1 connection", 1, askSource},
				{"to the guest, 16 connections", 16, askSink}, {"from the guest, 16 connections", 16, askSource}} {
				rows = append(rows, inTurns(b, row{name: m.name, unit: "Gbit/s", goal: "hostport 0.95, relay 0.6"}, ways, func(w way) (float64, error) {
					return w.throughput(m.n, m.ask, 500*time.Millisecond)
				}))
			}
			p99 := row{name: "request, p99", unit: "us", values: map[string]float64{}}
			p50 := inTurns(b, row{name: "request, p50", unit: "us", goal: "relay direct + 60"}, ways, func(w way) (float64, error) {
				l, err := w.latencies(2000)
				if err != nil {
					return 0, err
				}
				p99.values[w.name] = l[len(l)*99/100]
				return l[len(l)/2], nil
			})
			rows = append(rows, p50, p99, inTurns(b, row{name: "new connections", unit: "1/s"}, ways, func(w way) (float64, error) {
				return w.connects(500 * time.Millisecond)
			}))
			printRows(name, ways, rows)
			for _, w := range ways {
				for _, n := range []int{1000, 10000} {
					work, each, err := w.idle(n)
					fmt.Printf("  %-10s %6d idle connections: %6d work, %5.1f KiB of memory each%s\n", w.name, n, work, each/1024, because(err))
				}
			}
		})
	}
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return "; then: " + err.Error()
}

// inTurns takes a figure of each way, several times over, and keeps the medians.
func inTurns(b *testing.B, r row, ways []way, measure func(way) (float64, error)) row {
	b.Helper()
	all := map[string][]float64{}
	for round := range rounds {
		for i := range ways {
			w := ways[(i+round)%len(ways)]
			v, err := measure(w)
			if err != nil {
				b.Errorf("%s, %s: %v", r.name, w.name, err)
				continue
			}
			all[w.name] = append(all[w.name], v)
		}
	}
	r.values = map[string]float64{}
	for name, values := range all {
		slices.Sort(values)
		r.values[name] = values[len(values)/2]
	}
	return r
}

// printRows prints the figures, and below each its ratio to the direct way's.
func printRows(runtime string, ways []way, rows []row) {
	fmt.Printf("\n%-34s", runtime)
	for _, w := range ways {
		fmt.Printf("%12s", w.name)
	}
	fmt.Println()
	for _, r := range rows {
		fmt.Printf("%-34s", r.name+", "+r.unit)
		for _, w := range ways {
			fmt.Printf("%12.1f", r.values[w.name])
		}
		fmt.Printf("\n%-34s", "  ratio to direct")
		for _, w := range ways {
			fmt.Printf("%12.2f", r.values[w.name]/r.values[ways[0].name])
		}
		fmt.Println(cmp.Or(strings.Repeat(" ", 4)+r.goal, ""))
	}
}
