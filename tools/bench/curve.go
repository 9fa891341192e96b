package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// drawCurve measures the floor and the router at growing sizes, and prints a line each.
func (b *bench) drawCurve(ctx context.Context, programs []target, out io.Writer) error {
	var own []target
	for _, t := range programs {
		if t.name == "agora" || t.floor {
			own = append(own, t)
		}
	}
	sizes := map[string][]int{"entities": {10, 100, 1000, 10_000}, "connections": {1, 10, 50, 100, 500, 1000, 5000}}[b.curve]
	if sizes == nil {
		return fmt.Errorf("--curve %s: entities or connections", b.curve)
	}
	fmt.Fprintf(out, "| %s | program | CPU ms | × floor | CPU µs per entity | requests/s | p50 ms | p99 ms | peak MiB |\n", b.curve)
	fmt.Fprintln(out, "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	var failures []error
	drawing := plot{size: b.curve}
	for _, n := range sizes {
		w := workloads()[1]
		entities := 0
		if b.curve == "entities" {
			w = fixed(fmt.Sprint("entities-", n), "", 0, entityList(n))
			entities = n
		} else {
			b.connections = n
		}
		result, err := b.workload(ctx, w, own)
		if err != nil {
			return fmt.Errorf("%d %s: %w", n, b.curve, err)
		}
		failures = append(failures, result.failures()...)
		for _, p := range result.Programs {
			drawing.add(p.Name, float64(n), p.CPU)
			each := "–"
			if entities > 0 {
				each = fmt.Sprintf("%.2f", p.CPU*1000/float64(entities))
			}
			fmt.Fprintf(out, "| %d | %s | %.3f | %s | %s | %.0f | %.2f | %.2f | %d |\n", n, p.Name, p.CPU,
				ratio(p, result.Programs[0]), each, p.PerSecond, p.P50, p.P99, p.PeakMemory>>20)
		}
	}
	return errors.Join(append(failures, drawing.save(b.plot))...)
}
