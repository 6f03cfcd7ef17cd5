package exposition

import (
	"strconv"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/lag"
)

func (e *encoder) groupMembers(r *lag.Report) {
	for _, g := range r.Snapshot.Groups {
		if !g.Known {
			continue
		}
		e.start()
		e.label(g.Name)
		e.end(int64(len(g.Clients)))
	}
}

func (e *encoder) groupInfo(r *lag.Report) {
	for _, g := range r.Snapshot.Groups {
		if g.Model == "" && g.ConsumeType == "" {
			continue
		}
		e.start()
		e.label(g.Name)
		e.label(g.Model)
		e.label(g.ConsumeType)
		e.end(1)
	}
}

// member is what the labels of one client are made of. Clients that share it,
// several in one process, are one series.
type member struct {
	ip, pid, language string
	version           int32
}

func (e *encoder) groupClientInfo(r *lag.Report) {
	for _, g := range r.Snapshot.Groups {
		if !g.Known {
			continue
		}
		clear(e.members)
		for i := range g.Clients {
			c := &g.Clients[i]
			m := member{ip: c.IP, pid: c.PID, language: c.Language, version: c.Version}
			if _, ok := e.members[m]; ok {
				continue
			}
			e.members[m] = struct{}{}
			e.start()
			e.label(g.Name)
			e.label(m.ip)
			e.label(m.pid)
			e.label(m.language)
			e.label(e.version(m.version))
			e.end(1)
		}
	}
	clear(e.members) // hold on to no name of a report
}

// version is versionName, remembered: clients have few versions. The bound is
// for a cluster that makes them up.
func (e *encoder) version(ordinal int32) string {
	name, ok := e.versions[ordinal]
	if !ok {
		if len(e.versions) >= 1024 {
			clear(e.versions)
		}
		name = versionName(ordinal)
		e.versions[ordinal] = name
	}
	return name
}

// Ordinals of RocketMQ's MQVersion from 4.0.0 to 5.9.9. Each patch has two, the
// first one for its snapshot; older versions follow no rule.
const (
	firstVersion = 212 // V4_0_0_SNAPSHOT
	lastVersion  = 611 // V5_9_9
)

// versionName is the version as RocketMQ writes it, or the number where
// RocketMQ has no name for it.
func versionName(ordinal int32) string {
	if ordinal < firstVersion || ordinal > lastVersion {
		return strconv.Itoa(int(ordinal))
	}
	n := int(ordinal-firstVersion) / 2
	digit := func(n int) string { return strconv.Itoa(n % 10) }
	name := "V" + strconv.Itoa(4+n/100) + "_" + digit(n/10) + "_" + digit(n)
	if ordinal%2 == 0 {
		name += "_SNAPSHOT"
	}
	return name
}
