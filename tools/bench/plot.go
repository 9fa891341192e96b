package main

import (
	"fmt"
	"html"
	"math"
	"os"
	"strings"
)

// plot draws curves of processor time as SVG: both axes logarithmic, so that what is linear in the size is a straight
// line.
type plot struct {
	// size names what grows.
	size   string
	curves []curve
}

type curve struct {
	name   string
	points []point
}

// point is the processor time, in milliseconds per request, at a size.
type point struct{ size, cpu float64 }

// add adds a point to the curve of a program.
func (p *plot) add(name string, size, cpu float64) {
	if cpu <= 0 {
		return
	}
	for i := range p.curves {
		if p.curves[i].name == name {
			p.curves[i].points = append(p.curves[i].points, point{size, cpu})
			return
		}
	}
	p.curves = append(p.curves, curve{name, []point{{size, cpu}}})
}

const (
	plotWidth, plotHeight = 720.0, 440.0
	plotMargin            = 60.0
)

var plotColours = []string{"#1f77b4", "#7f7f7f", "#d62728", "#2ca02c", "#9467bd"}

// svg is the drawing.
func (p *plot) svg() string {
	left, right, bottom, top := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, c := range p.curves {
		for _, at := range c.points {
			left, right = min(left, math.Log10(at.size)), max(right, math.Log10(at.size))
			bottom, top = min(bottom, math.Log10(at.cpu)), max(top, math.Log10(at.cpu))
		}
	}
	bottom, top = math.Floor(bottom), math.Ceil(top)
	x := func(v float64) float64 {
		return plotMargin + (math.Log10(v)-left)/max(right-left, 1e-9)*(plotWidth-2*plotMargin)
	}
	y := func(v float64) float64 {
		return plotHeight - plotMargin - (math.Log10(v)-bottom)/max(top-bottom, 1e-9)*(plotHeight-2*plotMargin)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%g" height="%g" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="%g" y="20">CPU ms per request, by %s</text>`+"\n", plotMargin, html.EscapeString(p.size))
	for decade := bottom; decade <= top; decade++ {
		v := math.Pow(10, decade)
		fmt.Fprintf(&b, `<path d="M%g %.1fH%g" stroke="#ddd"/><text x="8" y="%.1f">%g</text>`+"\n", plotMargin, y(v), plotWidth-plotMargin, y(v)+4, v)
	}
	for i, c := range p.curves {
		colour := plotColours[i%len(plotColours)]
		var line []string
		for _, at := range c.points {
			line = append(line, fmt.Sprintf("%.1f,%.1f", x(at.size), y(at.cpu)))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(at.size), y(at.cpu), colour)
			if i == 0 {
				fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle">%g</text>`+"\n", x(at.size), plotHeight-plotMargin+20, at.size)
			}
		}
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s"/>`+"\n", strings.Join(line, " "), colour)
		fmt.Fprintf(&b, `<text x="%g" y="%g" fill="%s">%s</text>`+"\n", plotMargin+10, 40+16*float64(i), colour, html.EscapeString(c.name))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// save writes the drawing to a file, if one is named.
func (p *plot) save(file string) error {
	if file == "" || len(p.curves) == 0 {
		return nil
	}
	return os.WriteFile(file, []byte(p.svg()), 0o644)
}
