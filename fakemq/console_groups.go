package fakemq

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// groupInfo is one entry of the list of groups (GroupConsumeInfo).
type groupInfo struct {
	name      string
	addresses []string
	system    bool
	version   string
	kind      string
	model     string
	count     int
	perSecond int64
	diff      int64 // -1 where it is not known
	at        time.Time
}

// answerGroupList answers /consumer/groupList.query. 2.x makes the list once
// and keeps it until it is told to refresh it; system groups get a prefix with
// the first call that does not ask to skip them, and keep it. None is ever
// skipped.
func answerGroupList(x *call, dst []byte) ([]byte, error) {
	s := x.console
	if !s.opts.Release.two() {
		infos, err := s.admin.groupInfos("")
		if err != nil {
			return dst, err
		}
		return appendGroupList(dst, infos, false), nil
	}
	return s.appendCached(dst, x.query.Get("address"), x.flag("skipSysGroup"), false)
}

// answerRefreshedGroups answers /consumer/group.refresh.all.
func answerRefreshedGroups(x *call, dst []byte) ([]byte, error) {
	return x.console.appendCached(dst, x.query.Get("address"), false, true)
}

func (s *Console) appendCached(dst []byte, address string, skipSystem, anew bool) ([]byte, error) {
	s.listMu.Lock()
	defer s.listMu.Unlock()
	if anew {
		s.list = nil
	}
	if len(s.list) == 0 {
		infos, err := s.admin.groupInfos(address)
		if err != nil {
			return dst, err
		}
		s.list = infos
	}
	if len(s.list) == 0 {
		return dst, javaError("No consumer group information available")
	}
	for i := range s.list {
		if info := &s.list[i]; !skipSystem && info.system && !strings.HasPrefix(info.name, sysPrefix) {
			info.name = sysPrefix + info.name
		}
	}
	return appendGroupList(dst, s.list, true), nil
}

// groupInfos asks for every group that any broker knows. Where address is
// given, only the node there is asked who is online.
func (a admin) groupInfos(address string) ([]groupInfo, error) {
	a.mq.mu.RLock()
	defer a.mq.mu.RUnlock()
	if _, err := a.nameServer(); err != nil {
		return nil, err
	}
	var infos []groupInfo
	seen := map[string]int{}
	for _, b := range a.mq.brokers {
		if !b.listed() {
			continue
		}
		n, err := b.reach()
		if err != nil {
			return nil, err
		}
		for _, name := range b.groupSeq {
			i, ok := seen[name]
			if !ok {
				i = len(infos)
				seen[name] = i
				infos = append(infos, a.groupInfo(name, address))
			}
			infos[i].addresses = append(infos[i].addresses, n.Addr())
		}
	}
	slices.SortStableFunc(infos, func(a, b groupInfo) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(b.diff, a.diff))
	})
	return infos, nil
}

func (a admin) groupInfo(name, address string) groupInfo {
	info := groupInfo{name: name, diff: -1, system: isSystemGroup(name), at: a.mq.opts.Clock.Now()}
	if stats, rate, err := a.consumeStats(name, ""); err == nil {
		info.diff, info.perSecond = 0, int64(rate)
		for i := range stats {
			info.diff += stats[i].end - stats[i].committed
		}
	}
	g, err := a.connection(name)
	if address != "" {
		var n *Node
		if n, err = a.at(address); err == nil {
			g, err = a.connectionAt(n, name)
		}
	}
	if err != nil {
		return info
	}
	oldest := slices.MinFunc(g.processes, func(a, b *process) int { return cmp.Compare(a.Version, b.Version) })
	info.count, info.version = len(g.processes), versionDesc(oldest.Version)
	info.kind, info.model = g.consumeType(), g.model()
	return info
}

// isSystemGroup says what 2.x takes for a group of the system.
func isSystemGroup(name string) bool {
	switch name {
	case "TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP", "CID_ONS-HTTP-PROXY", "CID_ONSAPI_PULL",
		"CID_ONSAPI_PERMISSION", "CID_ONSAPI_OWNER", "CID_RMQ_SYS_TRANS", "CID_DefaultHeartBeatSyncerTopic":
		return true
	}
	return false
}

func appendGroupList(dst []byte, infos []groupInfo, two bool) []byte {
	dst = append(dst, '[')
	var l list
	for i := range infos {
		info := &infos[i]
		dst = append(l.next(dst), `{"group":`...)
		dst = append(dst, quote(info.name)...)
		dst = append(dst, `,"version":`...)
		dst = appendTextOrNull(dst, info.version)
		dst = appendInt(dst, `,"count":`, int64(info.count))
		dst = append(dst, `,"consumeType":`...)
		dst = appendTextOrNull(dst, info.kind)
		dst = append(dst, `,"messageModel":`...)
		dst = appendTextOrNull(dst, info.model)
		if two {
			dst = appendStrings(append(dst, `,"address":`...), info.addresses)
		}
		dst = appendInt(dst, `,"consumeTps":`, info.perSecond)
		dst = appendInt(dst, `,"diffTotal":`, info.diff)
		if two {
			dst = append(dst, `,"subGroupType":"`...)
			dst = append(dst, info.groupType()...)
			dst = append(dst, `","updateTime":"`...)
			dst = info.at.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000-07:00")
			dst = append(dst, '"')
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func (i *groupInfo) groupType() string {
	if i.system {
		return "SYSTEM"
	}
	return "NORMAL"
}

// answerConsumerConnection answers /consumer/consumerConnection.query
// (ConsumerConnection with ConnectionInfo entries). 2.x asks the first broker
// that it is told.
func answerConsumerConnection(x *call, dst []byte) ([]byte, error) {
	name, a := "null", x.console.admin
	if x.query.Has("consumerGroup") {
		name = x.query.Get("consumerGroup")
	}
	a.mq.mu.RLock()
	defer a.mq.mu.RUnlock()
	if !a.release.two() {
		g, err := a.connection(name)
		if err != nil {
			return dst, err
		}
		return appendConsoleConnection(dst, g), nil
	}
	addresses, err := x.addresses()
	if err != nil {
		return dst, err
	}
	n, err := a.at(addresses[0])
	if err != nil {
		return dst, err
	}
	g, err := a.connectionAt(n, strings.TrimPrefix(name, sysPrefix))
	if err != nil {
		return dst, err
	}
	return appendConsoleConnection(dst, g), nil
}

func appendConsoleConnection(dst []byte, g *group) []byte {
	dst = append(dst, `{"connectionSet":[`...)
	var l list
	for _, p := range g.processes {
		dst = append(l.next(dst), `{"clientId":`...)
		dst = append(dst, quote(p.ID)...)
		dst = append(dst, `,"clientAddr":`...)
		dst = append(dst, quote(p.Addr)...)
		dst = append(dst, `,"language":`...)
		dst = append(dst, quote(p.Language)...)
		dst = appendInt(dst, `,"version":`, int64(p.Version))
		dst = append(dst, `,"versionDesc":`...)
		dst = append(dst, quote(versionDesc(p.Version))...)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"subscriptionTable":{`...)
	l = list{}
	for _, topic := range g.topics {
		dst = append(l.next(dst), quote(topic)...)
		dst = appendConsoleSubscription(append(dst, ':'), g, topic)
	}
	dst = append(dst, `},"consumeType":"`...)
	dst = append(dst, g.consumeType()...)
	dst = append(dst, `","messageModel":"`...)
	dst = append(dst, g.model()...)
	dst = append(dst, `","consumeFromWhere":"`...)
	dst = append(dst, g.fromWhere()...)
	return append(dst, `"}`...)
}

// appendConsoleSubscription writes one SubscriptionData as the console does.
func appendConsoleSubscription(dst []byte, g *group, topic string) []byte {
	dst = append(dst, `{"classFilterMode":false,"topic":`...)
	dst = append(dst, quote(topic)...)
	dst = appendInt(dst, `,"subString":"*","tagsSet":[],"codeSet":[],"subVersion":`, g.subbedAt)
	return append(dst, `,"expressionType":"TAG","filterClassSource":null}`...)
}
