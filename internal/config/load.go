package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// Said is what is said of settings in one place: texts by key.
type Said map[string][]string

// Sources are where settings come from. What is said in an earlier one beats
// what is said in a later one.
type Sources struct {
	Flags       Said
	Environment Said
	Old         Said  // by the variables of the original exporter
	File        *File // may be nil
	// Defaults, by key, stand in for those of the table: a command may have
	// its own.
	Defaults map[string]string

	// Getenv looks up the variables of secrets.
	Getenv func(name string) string
	// Hostname is the name of the machine, or of the pod; may be nil.
	Hostname func() (string, error)
	// ReadFile reads the files of secrets and certificates.
	ReadFile func(name string) ([]byte, error)
	// CheckWeb checks a file with TLS and users for what is served; may be nil.
	CheckWeb func(name string) error
}

// Load checks everything. Its error holds all SettingErrors.
func Load(s Sources) (Valid, error) {
	l := &loader{Sources: s, settings: Settings()}
	if s.File != nil {
		l.mistakes = append(l.mistakes, s.File.mistakes...)
	}
	l.clusters()
	v := Valid{places: l.global()}
	for i := range l.config.Clusters {
		l.config.Clusters[i].Shard = l.config.Shard
	}
	if s.File != nil {
		v.file = s.File.name
	}
	if len(l.mistakes) > 0 {
		slices.SortStableFunc(l.mistakes, func(a, b error) int { return cmp.Compare(lineOf(a), lineOf(b)) })
		return Valid{}, l.mistakes
	}
	v.Config = l.config
	return v, nil
}

// SettingErrors are everything that is wrong with the settings.
type SettingErrors []error

// Error is the mistakes, a line each.
func (m SettingErrors) Error() string {
	if len(m) == 1 {
		return m[0].Error()
	}
	lines := make([]string, len(m))
	for i, err := range m {
		lines[i] = "\n  " + err.Error()
	}
	return fmt.Sprintf("%d mistakes in the settings:%s", len(m), strings.Join(lines, ""))
}

// lineOf is a mistake's line in the file. Those of flags and environment come
// after all of the file.
func lineOf(err error) int {
	if m, ok := errors.AsType[lineError](err); ok {
		return m.line
	}
	return math.MaxInt
}

// Unwrap lists them.
func (m SettingErrors) Unwrap() []error { return m }

// Wrap makes an error about a setting that is not of a cluster: it names the
// setting as the user said it.
func (v Valid) Wrap(key, value string, err error) error {
	p := v.places[key]
	if p.line > 0 {
		return lineError{v.file, p.line, fmt.Errorf("%s=%s: %w", p.name, value, err)}
	}
	return fmt.Errorf("%s=%s: %w%s", p.name, value, err, p.note)
}

// NeedRestart are the settings, as they were said, that differ from those in use
// and are only read at the start.
func (v Valid) NeedRestart(inUse Valid) []string {
	var list []string
	for _, s := range Settings() {
		if s.restart && !reflect.DeepEqual(s.at(&v.Config, nil), s.at(&inUse.Config, nil)) {
			list = append(list, v.places[s.Key].name)
		}
	}
	return list
}

// loader reads settings out of sources.
type loader struct {
	Sources

	settings []*Setting
	config   Config
	mistakes SettingErrors
}

// add notes a mistake. What flags and environment say of all clusters is said
// once.
func (l *loader) add(err error) {
	for _, known := range l.mistakes {
		if known.Error() == err.Error() {
			return
		}
	}
	l.mistakes = append(l.mistakes, err)
}

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

// global reads what is not of a cluster, and returns where it was said.
func (l *loader) global() map[string]place {
	r := &reading{loader: l, places: make(map[string]place)}
	if l.File != nil {
		r.own = l.File.global
	}
	for _, s := range l.settings {
		if s.Scope == Global {
			r.read(s, &l.config, nil)
		}
	}
	web := &l.config.Web
	if web.SystemdSocket && runtime.GOOS != "linux" {
		r.about(keySystemd, ": there is no systemd here: it is on Linux only")
	}
	r.chooseShard()
	if web.Profiles != "" && !web.ProfilesOpen && !isLoopback(web.Profiles) {
		r.about(KeyProfiles, ": %q can be reached from other machines, and profiles have no password: allowed are loopback addresses, as in 127.0.0.1:6060, unless %s is set",
			web.Profiles, r.short("web.pprof_open"))
	}
	if l.CheckWeb != nil && web.ConfigFile != "" {
		if err := l.CheckWeb(web.ConfigFile); err != nil {
			r.about(KeyWebConfig, "=%s: %w", web.ConfigFile, err)
		}
	}
	return r.places
}

// clusters reads those of the file, or where it has none the one that flags
// make.
func (l *loader) clusters() {
	var defaults *section
	if l.File != nil {
		defaults = l.File.defaults
	}
	if l.File == nil || len(l.File.clusters) == 0 {
		l.cluster(&reading{loader: l, defaults: defaults})
		return
	}
	l.refuseTwoOrigins()
	for _, own := range l.File.clusters {
		l.cluster(&reading{loader: l, own: own, defaults: defaults, listed: true})
	}
	l.checkNames()
}

// refuseTwoOrigins finds what flags and environment say of one cluster where
// the file has several. It is a mistake, and for the rest it was not said.
func (l *loader) refuseTwoOrigins() {
	l.Flags, l.Environment, l.Old = maps.Clone(l.Flags), maps.Clone(l.Environment), maps.Clone(l.Old)
	r := &reading{loader: l, places: make(map[string]place)}
	for _, s := range l.settings {
		if !s.Identity && s.Of == Any {
			continue
		}
		if _, p := r.say(s); p.layer != unsaid && (s.Identity || p.layer == byFlag) {
			r.about(s.Key, " and %s:%d: %s: the clusters come from one of them, not both", l.File.name, l.File.line, sectionClusters)
			for _, said := range []Said{l.Flags, l.Environment, l.Old} {
				delete(said, s.Key)
			}
		}
	}
}

// cluster reads one cluster.
func (l *loader) cluster(r *reading) {
	r.places = make(map[string]place)
	l.config.Clusters = append(l.config.Clusters, Cluster{})
	k := &l.config.Clusters[len(l.config.Clusters)-1]
	for _, s := range l.settings {
		if s.Scope == PerCluster && s.Identity {
			r.read(s, nil, k)
		}
	}
	of := r.source(k)
	for _, s := range l.settings {
		switch {
		case s.Scope != PerCluster || s.Identity:
		case s.Of == Any || s.Of == of:
			r.read(s, nil, k)
		default:
			// Environment and defaults may speak of other clusters.
			if p := r.place(s.Key); p.is() {
				r.about(s.Key, " is set, and there is no %s", r.short(identityOf(s.Of)))
			}
		}
	}
	r.chooseFamilies(k)
	switch of {
	case FromConsole:
		r.checkConsole(&k.Console)
	case Direct:
		r.checkAccess(&k.Access)
	case Any:
	}
}

func identityOf(s Source) string {
	if s == FromConsole {
		return KeyConsole
	}
	return KeyNameServers
}

// source decides what a cluster is read from.
func (r *reading) source(k *Cluster) Source {
	direct, console := r.places[KeyNameServers], r.places[KeyConsole]
	if console.layer == byOldVariable && direct.layer > byOldVariable && len(k.NameServers) > 0 {
		k.Console.URL, console.layer = "", unsaid // who set it was not asked again
		r.places[KeyConsole] = console
	}
	isDirect := len(k.NameServers) > 0
	isConsole := k.Console.URL != "" || console.layer != unsaid && r.hasText(KeyConsole) // said, if wrongly
	switch {
	case isDirect && isConsole:
		r.about(KeyNameServers, " and %s: one of them is the source, not both", r.short(KeyConsole))
	case isConsole:
		return FromConsole
	case isDirect:
		return Direct
	case r.isWrong(KeyNameServers), r.isWrong(KeyConsole), r.File != nil && r.File.broken:
		// That is the mistake, and it is noted.
	case r.listed:
		r.aboutPlace(r.here(""), ": the address of a name server is needed, as in namesrv: [10.0.0.1:9876], or that of a console, as in console: {url: http://10.0.0.2:8080}")
	default:
		r.about(KeyNameServers, ": the address of a name server is needed, as in --namesrv=10.0.0.1:9876, or that of a console, as in --console=http://10.0.0.2:8080 (or try the command demo)")
	}
	return Any
}

func (r *reading) hasText(key string) bool {
	texts, _ := r.say(find(r.settings, key))
	return strings.Join(texts, "") != ""
}

// checkNames finds clusters that cannot be told apart.
func (l *loader) checkNames() {
	lines := make(map[string]int)
	for i, own := range l.File.clusters {
		name := l.config.Clusters[i].Name
		r := &reading{loader: l, own: own, listed: true}
		switch {
		case name == "" && len(l.File.clusters) > 1 && !own.wrong[keyName] && r.place(keyName).layer != inFile:
			r.about(keyName, ": it is missing: each of several clusters needs one, for the label cluster")
		case name == "":
		case lines[name] > 0:
			r.about(keyName, ": %q is taken: the cluster in line %d has that name", name, lines[name])
		default:
			lines[name] = own.line
		}
	}
}
