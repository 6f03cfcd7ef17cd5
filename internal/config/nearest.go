package config

import (
	"slices"
	"strings"
)

// unknown says what is wrong with a key that no setting has, and which one was
// maybe meant.
func (p *parser) unknown(s *section, scope Scope, below, key string) string {
	for _, set := range p.settings {
		if set.Scope == scope || set.Key != key && !strings.HasPrefix(set.Key, key+".") {
			continue
		}
		if scope == Global {
			return "that is of a cluster: it belongs below defaults, or below one of the clusters"
		}
		return "that is of all clusters together: it belongs to the top of the file"
	}
	here, everywhere := p.keys(s, scope, below)
	last := key[strings.LastIndexByte(key, '.')+1:]
	if near := nearest(last, here); near != "" {
		return "there is no such key: did you mean " + join(below, near) + "?"
	}
	if near := nearest(key, everywhere); near != "" {
		return "there is no such key: did you mean " + near + "?"
	}
	if path := p.elsewhere(last); path != "" {
		return "there is no such key here: did you mean " + path + "?"
	}
	return "there is no such key: allowed are " + strings.Join(here, ", ")
}

// elsewhere is the whole path of a key that ends in a word like this one.
func (p *parser) elsewhere(word string) string {
	var words, paths []string
	for _, set := range p.settings {
		path := set.Key
		switch {
		case set.Scope == CommandLine:
			continue
		case set.Identity:
			path = join(sectionClusters+"[]", path)
		case set.Scope == PerCluster:
			path = join(sectionDefaults, path)
		}
		words = append(words, set.Key[strings.LastIndexByte(set.Key, '.')+1:])
		paths = append(paths, path)
	}
	if i := slices.Index(words, nearest(word, words)); i >= 0 {
		return paths[i]
	}
	return ""
}

// keys are the words that may stand below a part of a key, and all whole keys.
func (p *parser) keys(s *section, scope Scope, below string) (here, everywhere []string) {
	if s == p.file.global && below == "" {
		here = append(here, sectionDefaults, sectionClusters)
	}
	for _, set := range p.settings {
		if set.Scope != scope || set.Identity && s == p.file.defaults {
			continue
		}
		everywhere = append(everywhere, set.Key)
		rest := set.Key
		if below != "" {
			var ok bool
			if rest, ok = strings.CutPrefix(set.Key, below+"."); !ok {
				continue
			}
		}
		word, _, _ := strings.Cut(rest, ".")
		if !slices.Contains(here, word) {
			here = append(here, word)
		}
	}
	return here, everywhere
}

// nearest is the word that another one was maybe meant to be; empty if none is
// near.
func nearest(word string, among []string) string {
	best, least := "", 1+len(word)/3
	for _, w := range among {
		if d := distance(word, w); d <= least {
			best, least = w, d-1
		}
	}
	return best
}

// distance is how many letters must be put in, taken out, changed or swapped
// with their neighbours to make b of a.
func distance(a, b string) int {
	fold := strings.NewReplacer("-", "_")
	x, y := []rune(fold.Replace(strings.ToLower(a))), []rune(fold.Replace(strings.ToLower(b)))
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(x); i++ {
		twoBack, back, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := back[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(change, back[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], twoBack[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = back, row, twoBack
	}
	return rows[1][len(y)]
}
