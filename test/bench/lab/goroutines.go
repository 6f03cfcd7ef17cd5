package lab

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Goroutines are those of a process, counted by the function that started them.
type Goroutines map[string]int

// Goroutines are those of a process at this moment, the one that tells of them among
// them: of one that has its profiles at an address.
func (r *Reader) Goroutines(ctx context.Context, addr string) (Goroutines, error) {
	resp, err := r.open(ctx, "http://"+addr+"/debug/pprof/goroutine?debug=2", false)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	g := make(Goroutines)
	starter := ""
	flush := func() {
		if starter != "" {
			g[starter]++
		}
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "goroutine ") {
			flush()
			starter = "main"
		} else if by, ok := strings.CutPrefix(line, "created by "); ok {
			starter, _, _ = strings.Cut(by, " in goroutine")
		}
	}
	flush()
	return g, lines.Err()
}

// Count is how many there are.
func (g Goroutines) Count() (n int) {
	for _, count := range g {
		n += count
	}
	return n
}

// Since says of which there are more than earlier, and of which fewer.
func (g Goroutines) Since(earlier Goroutines) string {
	all := maps.Clone(earlier)
	maps.Copy(all, g)
	var changes []string
	for _, by := range slices.SortedFunc(maps.Keys(all), cmp.Compare[string]) {
		if n := g[by] - earlier[by]; n != 0 {
			changes = append(changes, fmt.Sprintf("%+d of %s", n, by))
		}
	}
	return strings.Join(changes, ", ")
}
