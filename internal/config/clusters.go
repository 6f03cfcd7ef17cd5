package config

import (
	"maps"
	"strings"
)

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
