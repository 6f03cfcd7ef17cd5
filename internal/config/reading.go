package config

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
)

// place is where a setting was said, or would be.
type place struct {
	layer layer
	name  string // "--console", "clusters[1].console.url"
	line  int    // in the file; 0: not there
	note  string // to add to a mistake
	wrong bool   // what was said is no value: a mistake says so
}

type layer uint8

const (
	unsaid layer = iota
	inDefaults
	inFile // of the cluster itself, or of what is global
	byOldVariable
	byVariable
	byFlag
)

// reading is the settings of one cluster, or those that are global, as they are
// being read.
type reading struct {
	*loader

	own, defaults *section // of the file; nil where there is none
	// listed says that the cluster stands in the file; one that does not is
	// made by flags.
	listed bool
	places map[string]place
}

// say is what counts of what was said of a setting.
func (r *reading) say(s *Setting) ([]string, place) {
	flag := place{name: "--" + s.Flag}
	for _, l := range []struct {
		said  Said
		layer layer
		note  string
	}{
		{r.Flags, byFlag, ""},
		{r.Environment, byVariable, ""},
		{r.Old, byOldVariable, " (it comes from the variable " + s.Old + ")"},
	} {
		if texts, ok := l.said[s.Key]; ok {
			flag.layer, flag.note = l.layer, l.note
			return texts, flag
		}
	}
	for _, l := range []struct {
		section *section
		layer   layer
	}{{r.own, inFile}, {r.defaults, inDefaults}} {
		if l.section == nil {
			continue
		}
		if v, ok := l.section.values[s.Key]; ok {
			return r.relativeToFile(s, v.texts), place{layer: l.layer, name: join(l.section.path, s.Key), line: v.line}
		}
	}
	if r.listed {
		return nil, r.here(s.Key)
	}
	return nil, flag
}

// here is where the cluster itself would say a setting.
func (r *reading) here(key string) place {
	return place{name: join(r.own.path, key), line: r.own.line}
}

// relativeToFile has names of files in the file begin where the file lies.
func (r *reading) relativeToFile(s *Setting, texts []string) []string {
	isFile := s.kind.word() == (file{}).word()
	if !isFile || len(texts) != 1 || texts[0] == "" || filepath.IsAbs(texts[0]) {
		return texts
	}
	return []string{filepath.Join(filepath.Dir(r.File.name), texts[0])}
}

// read reads one setting, or leaves it at its default.
func (r *reading) read(s *Setting, config *Config, cluster *Cluster) {
	texts, p := r.say(s)
	r.places[s.Key] = p
	field := s.at(config, cluster)
	if value := cmp.Or(r.Defaults[s.Key], s.Default); value != "" {
		if err := s.kind.read([]string{value}, field); err != nil {
			panic(fmt.Sprintf("the default of %s: %v", s.Key, err)) // a test reads them all
		}
	}
	if p.layer == unsaid {
		return
	}
	if err := s.kind.read(texts, field); err != nil {
		r.wrong(s.Key, err)
		p.wrong = true
		r.places[s.Key] = p
	}
}

// isWrong says whether what was said of a setting is no value, so that nothing
// can be said of what would follow from it.
func (r *reading) isWrong(key string) bool {
	return r.places[key].wrong || r.own != nil && r.own.wrong[key]
}

// wrong notes what is wrong with a setting's value.
func (r *reading) wrong(key string, err error) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			r.wrong(key, one)
		}
		return
	}
	if errors.Is(err, errCredentials) {
		err = fmt.Errorf("%w: for a login there are %s and %s, for a proxy in front %s and %s", err,
			r.short(keyUsername), r.short(keyPasswordFile), r.short(keyProxyUsername), r.short(keyProxyFile))
	}
	r.about(key, ": %w", err)
}

// about notes a mistake that begins with the name of a setting.
func (r *reading) about(key, format string, args ...any) {
	r.aboutPlace(r.place(key), format, args...)
}

// aboutPair is about, for what is wrong only together with what the cluster
// says: where a default is, it is not the default's mistake.
func (r *reading) aboutPair(key, format string, args ...any) {
	p := r.place(key)
	if p.layer == inDefaults && r.listed {
		p = r.here(key)
	}
	r.aboutPlace(p, format, args...)
}

func (r *reading) aboutPlace(p place, format string, args ...any) {
	err := fmt.Errorf("%s%w%s", p.name, fmt.Errorf(format, args...), p.note)
	if p.line > 0 {
		err = lineError{r.File.name, p.line, err}
	}
	r.add(err)
}

// place is where a setting was said, also of one that was not read.
func (r *reading) place(key string) place {
	p, ok := r.places[key]
	if !ok {
		_, p = r.say(find(r.settings, key))
	}
	return p
}

// short is a setting's name for a message that begins with where it is about.
func (r *reading) short(key string) string {
	if s := find(r.settings, key); !r.listed && s.Flag != "" {
		return "--" + s.Flag
	}
	return key
}

// is says whether something was said of a setting, and not only for all.
func (p place) is() bool {
	return p.layer == byFlag || p.layer == inFile || p.layer == byOldVariable
}
