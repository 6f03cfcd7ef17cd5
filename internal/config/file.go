package config

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// File is what the configuration file says, not yet read as values.
type File struct {
	name     string
	global   *section
	defaults *section
	clusters []*section
	line     int // of the clusters
	mistakes SettingErrors
	// broken says that what was meant as clusters cannot be known.
	broken bool
}

// section is the settings that stand in one place of the file.
type section struct {
	path   string // "clusters[0]"; empty at the top
	line   int
	values map[string]said // by key
	wrong  map[string]bool // keys whose values are none: a mistake says so
}

// said is what is said of one setting.
type said struct {
	texts []string
	line  int
}

// maxClusters bounds what one process is asked to read.
const maxClusters = 256

// Sections of the file that are no settings.
const (
	sectionDefaults = "defaults"
	sectionClusters = "clusters"
)

// ParseFile reads the syntax of a configuration file. What is wrong with it is
// reported by Load, with all other mistakes.
func ParseFile(name string, content []byte) *File {
	f := &File{name: name, global: newSection("", 1), defaults: newSection(sectionDefaults, 1)}
	root, err := parseYAML(content)
	p := &parser{file: f, settings: Settings()}
	switch {
	case err != nil:
		f.broken = true
		p.addSyntax(err)
	case root != nil: // else it is empty: everything has its default
		p.top(root)
	}
	return f
}

// Unreadable is a configuration file that could not be read, which Load reports
// with all other mistakes.
func Unreadable(err error) *File {
	f := ParseFile("", nil)
	f.broken = true
	f.mistakes = SettingErrors{fmt.Errorf("--%s: %w", find(Settings(), KeyFile).Flag, err)}
	return f
}

func newSection(path string, line int) *section {
	return &section{path: path, line: line, values: make(map[string]said), wrong: make(map[string]bool)}
}

// parseYAML is the root of the only document; nil where there is none.
func parseYAML(content []byte) (*yaml.Node, error) {
	var docs []yaml.Node
	if err := yaml.Load(content, &docs, yaml.WithAllDocuments()); err != nil {
		return nil, err
	}
	switch {
	case len(docs) > 1:
		return nil, errors.New("it holds several documents (parted by ---): wanted is one")
	case len(docs) == 0 || len(docs[0].Content) == 0:
		return nil, nil //nolint:nilnil // an empty file is no error
	}
	return docs[0].Content[0], nil
}

// parser walks the nodes of a file along the table of settings.
type parser struct {
	file     *File
	settings []*Setting
}

func (p *parser) add(line int, format string, args ...any) {
	p.file.mistakes = append(p.file.mistakes, lineError{p.file.name, line, fmt.Errorf(format, args...)})
}

// addSyntax notes what the YAML library says, without its own words around it.
func (p *parser) addSyntax(err error) {
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		p.add(max(e.Mark.Line, 1), "that is no YAML: %s", e.Message)
		return
	}
	p.file.mistakes = append(p.file.mistakes, fmt.Errorf("%s: %w", p.file.name, err))
}

// lineError is a mistake in a line of the file.
type lineError struct {
	file string
	line int
	err  error
}

func (m lineError) Error() string { return fmt.Sprintf("%s:%d: %v", m.file, m.line, m.err) }
func (m lineError) Unwrap() error { return m.err }

// entry is one key of a mapping.
type entry struct {
	key   string
	line  int
	value *yaml.Node
}

// entries are the keys of a mapping; nil, after a mistake, where it is none.
func (p *parser) entries(path string, n *yaml.Node) []entry {
	n = follow(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		p.add(n.Line, "%s: wanted is a section, with keys below it", cmp.Or(path, "the file"))
		p.file.broken = p.file.broken || path == ""
		return nil
	}
	var list []entry
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := follow(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode:
			p.add(key.Line, "%s: a key must be a text", cmp.Or(path, "the file"))
		case key.Value == "<<":
			p.add(key.Line, "%s: merge keys are not read: what all clusters share stands in defaults", join(path, key.Value))
		case lines[key.Value] > 0:
			p.add(key.Line, "%s: it stands twice, the first time in line %d", join(path, key.Value), lines[key.Value])
		default:
			lines[key.Value] = key.Line
			list = append(list, entry{key: key.Value, line: key.Line, value: n.Content[i+1]})
		}
	}
	return list
}

// follow is the node that an alias stands for. The walk ends for all that: it
// goes only as deep as the table does.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// join is the path of a key.
func join(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}

func (p *parser) top(root *yaml.Node) {
	for _, e := range p.entries("", root) {
		switch e.key {
		case sectionDefaults:
			p.file.defaults.line = e.line
			p.section(p.file.defaults, PerCluster, "", e.value)
		case sectionClusters:
			p.file.line = e.line
			p.clusters(e.value)
		default:
			p.key(p.file.global, Global, "", e)
		}
	}
}

func (p *parser) clusters(n *yaml.Node) {
	n = follow(n)
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.file.broken = true
		p.add(n.Line, "%s: wanted is a list, with '- ' in front of each cluster", sectionClusters)
		return
	}
	if len(n.Content) > maxClusters {
		p.file.broken = true
		p.add(n.Line, "%s: %d is out of bounds: allowed are at most %d", sectionClusters, len(n.Content), maxClusters)
		return
	}
	for i, c := range n.Content {
		s := newSection(fmt.Sprintf("%s[%d]", sectionClusters, i), c.Line)
		p.file.clusters = append(p.file.clusters, s)
		if follow(c).Kind != yaml.MappingNode { // which entries says
			s.wrong[KeyNameServers], s.wrong[keyName] = true, true
		}
		p.section(s, PerCluster, "", c)
	}
}

// section reads everything below one node; below is the part of the keys in
// front of it.
func (p *parser) section(s *section, scope Scope, below string, n *yaml.Node) {
	for _, e := range p.entries(join(s.path, below), n) {
		p.key(s, scope, below, e)
	}
}

// key reads one key: a setting, or a section of them.
func (p *parser) key(s *section, scope Scope, below string, e entry) {
	key := join(below, e.key)
	isSection := false
	for _, set := range p.settings {
		switch {
		case set.Scope != scope:
		case set.Key == key:
			p.value(s, set, e)
			return
		case strings.HasPrefix(set.Key, key+"."):
			isSection = true
		}
	}
	if isSection {
		p.section(s, scope, key, e.value)
		return
	}
	p.add(e.line, "%s: %s", join(s.path, key), p.unknown(s, scope, below, key))
}

func (p *parser) value(s *section, set *Setting, e entry) {
	texts, line, err := p.texts(s, set, e)
	if err != nil {
		s.wrong[set.Key] = true
		p.add(line, "%s: %w", join(s.path, set.Key), err)
		return
	}
	s.values[set.Key] = said{texts: texts, line: e.line}
}

// texts are the scalars that a setting's value is made of.
func (p *parser) texts(s *section, set *Setting, e entry) (texts []string, line int, err error) {
	n := follow(e.value)
	switch {
	case set.Identity && s == p.file.defaults:
		return nil, e.line, errors.New("it belongs to a cluster: clusters do not share it")
	case isNull(n):
		return nil, e.line, errors.New("it has no value")
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}, e.line, nil
	case !set.IsList():
		return nil, e.line, errors.New("wanted is one value")
	case n.Kind != yaml.SequenceNode:
		return nil, e.line, errors.New("wanted is a text, or a list of texts")
	}
	for _, item := range n.Content {
		if item = follow(item); item.Kind != yaml.ScalarNode || isNull(item) {
			return nil, item.Line, errors.New("wanted is a list of texts")
		}
		texts = append(texts, item.Value)
	}
	return texts, e.line, nil
}
