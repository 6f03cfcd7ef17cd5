package console

import (
	"errors"
	"maps"
	"net/url"
	"strings"
)

// flavour is what the console's list of groups has shown it to be. It is found
// out anew with every list.
type flavour uint8

const (
	unknown flavour = iota
	// plain is rocketmq-console and rocketmq-dashboard 1.0.0: it finds the
	// brokers of a group itself.
	plain
	// addressed is 2.0: it must be told one broker, and reads that one alone
	// however many it is told (ConsumerServiceImpl of 2.0.0).
	addressed
	// cached is 2.1 and later: it takes several brokers, and keeps the list of
	// groups until it is told to make it anew.
	cached
)

// groupList is what is remembered of the console's list of groups.
type groupList struct {
	flavour flavour
	groups  map[string]*listedGroup // nil: never read
	retry   map[string]bool         // the groups with a retry topic when it was read
	round   int                     // when it was read
	failed  int                     // times in a row that it could not be read
	retryAt int                     // round in which it is tried again after that
}

// listGap is for how many rounds the list is not read again for new retry
// topics: the console asks two or more questions about every group for it,
// and 2.x refuses others meanwhile.
const listGap = 4

// retryPrefix is what RocketMQ puts before a group to name its retry topic
// (MixAll).
const retryPrefix = "%RETRY%"

// readGroupList reads the list of groups where it is due, and settles which
// groups there are.
func (r *round) readGroupList() {
	retry := r.retryGroups()
	if r.listDue(retry) {
		r.readList(retry)
	}
	r.learnGroups(retry)
}

// retryGroups are the names behind the retry topics; nil where topics were not
// told.
func (r *round) retryGroups() map[string]bool {
	if r.topics == nil {
		return nil
	}
	groups := make(map[string]bool)
	for topic := range r.topics {
		if group, ok := strings.CutPrefix(topic, retryPrefix); ok && group != "" {
			groups[group] = true
		}
	}
	return groups
}

func (r *round) listDue(retry map[string]bool) bool {
	s := r.src
	l := &s.list
	age := s.rounds - l.round
	switch {
	case l.failed > 0:
		return s.rounds >= l.retryAt
	case s.suspectedNow():
		l.flavour = unknown
		return true
	case l.groups == nil || age >= s.opts.GroupRounds:
		return true
	case retry == nil:
		return false
	case vanished(l.retry, retry):
		return true // a group was deleted: it must not stay in sight
	case age < listGap:
		return false
	}
	return !sameKeys(retry, l.retry)
}

// vanished says whether something is no longer there.
func vanished(before, now map[string]bool) bool {
	for k := range before {
		if !now[k] {
			return true
		}
	}
	return false
}

// suspectFlavour has the list of groups, and with it the flavour, found out
// again: answers do not fit it. It is called from several goroutines.
func (s *Source) suspectFlavour() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suspected = true
}

// suspectedNow says whether to act on a suspicion: at once, then with growing
// pauses, as it may be something else that is wrong.
func (s *Source) suspectedNow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.suspected {
		s.suspicions = 0
		return false
	}
	s.suspected = false
	if s.suspicions > 0 && s.rounds < s.suspectAt {
		return false
	}
	s.suspicions++
	s.suspectAt = s.rounds + min(1<<min(s.suspicions, 10), s.opts.GroupRounds)
	return true
}

func sameKeys(a, b map[string]bool) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}

// readList reads the list, and has it made anew where it is a cache.
func (r *round) readList(retry map[string]bool) {
	l := &r.src.list
	groups, err := r.askList()
	if Reason(err) == reasonRefused && len(retry) == 0 && len(l.groups) == 0 {
		// 2.1 and later have no words for a list without entries but these:
		// "No consumer group information available".
		groups, err = nil, nil
	}
	if err != nil {
		r.fail(pathGroups, err)
		l.failed++
		l.retryAt = r.src.rounds + min(1<<min(l.failed-1, 10), r.src.opts.GroupRounds)
		return
	}
	l.groups = make(map[string]*listedGroup, len(groups))
	for i := range groups {
		l.groups[groups[i].Name] = &groups[i]
	}
	l.retry, l.round, l.failed = retry, r.src.rounds, 0
}

// askList asks for the list by the path that fits the console's flavour, which
// the answer shows.
func (r *round) askList() ([]listedGroup, error) {
	l := &r.src.list
	if l.flavour != cached {
		groups, err := r.askGroups(pathGroups, plainList())
		if err != nil {
			return nil, err
		}
		if l.flavour = flavourOf(groups, l.flavour); l.flavour != cached {
			return groups, nil
		}
	}
	groups, err := r.askGroups(pathRefresh, url.Values{"address": {""}})
	switch {
	case errors.Is(err, errNoPath) || Reason(err) == reasonNotJSON:
		l.flavour = unknown // it is another console now
	case Reason(err) == reasonRefused:
		// The console's user may lack the right to have the list made anew
		// (role-permission.yml grants it to administrators). The old list is
		// better than none, and the refusal is told.
		old, oldErr := r.askGroups(pathGroups, plainList())
		if oldErr == nil && len(old) > 0 {
			r.fail(pathRefresh, err)
			return old, nil
		}
	}
	return groups, err
}

// plainList is what the list of groups is asked with: all of them, of all
// brokers.
func plainList() url.Values { return url.Values{"skipSysGroup": {"false"}, "address": {""}} }

// flavourOf is what a list of groups shows the console to be. An empty one shows
// nothing.
func flavourOf(groups []listedGroup, before flavour) flavour {
	f := before
	for i := range groups {
		switch g := &groups[i]; {
		case g.Updated != nil:
			return cached
		case g.Addresses != nil:
			f = addressed
		default:
			f = plain
		}
	}
	return f
}

// askGroups calls a path that answers with the list of groups. For a long list
// the console needs longer than for other answers.
func (r *round) askGroups(path string, query url.Values) ([]listedGroup, error) {
	var groups []listedGroup
	err := r.getWithin(slowCall*r.src.opts.CallTimeout, path, query, func(d *decoder) (err error) {
		groups, err = readGroups(d)
		return err
	})
	return groups, err
}

// slowCall is by how much the time of a call that is known to be slow is longer.
const slowCall = 4

// learnGroups says which groups there are: those of the list, and those that
// have got a retry topic since. While there is no list, retry topics alone
// tell.
func (r *round) learnGroups(retry map[string]bool) {
	s := r.src
	l := &s.list
	fresh := l.groups != nil && l.round == s.rounds
	listed := make(map[string]*listedGroup, len(l.groups))
	maps.Copy(listed, l.groups)
	for name := range retry {
		if _, ok := listed[name]; !ok && !fresh && !l.retry[name] && !isPopRetry(name, listed) {
			listed[name] = nil
		}
	}
	for _, g := range s.groups {
		g.listed = false
	}
	wanted := s.opts.Selection.For("", nil) // groups are wanted alike everywhere
	for name, in := range listed {
		if !wanted.Group(name) {
			continue
		}
		g := s.groups[name]
		if g == nil {
			if len(s.groups) >= maxGroups {
				continue
			}
			g = &group{name: name}
			s.groups[name] = g
		}
		g.listed, g.seen = true, r.began
		if in == nil {
			continue
		}
		g.addrs = in.Addresses
		if fresh {
			g.counted, g.count = true, in.Count
		}
		if g.model == "" {
			g.model, g.kind = in.Model, in.Kind
		}
	}
}

// isPopRetry tells a POP retry topic, %RETRY%group_topic or %RETRY%group+topic
// (KeyBuilder.buildPopRetryTopic), by a group in front.
func isPopRetry(name string, groups map[string]*listedGroup) bool {
	for i := 1; i < len(name); i++ {
		if name[i] == '_' || name[i] == '+' {
			if _, ok := groups[name[:i]]; ok {
				return true
			}
		}
	}
	return false
}
