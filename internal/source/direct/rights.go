package direct

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// rightOf is the right of ACL 2.0 that a request needs besides a login (header
// classes of AdminBrokerProcessor's requests, tried on 5.4.0 and 5.5.0); empty
// where a login is enough. A retry topic counts as its group. ACL 1.0 asks none
// of these for a right.
func rightOf(code remoting.RequestCode) string {
	switch code {
	case remoting.GetTopicStatsInfo, remoting.QueryTopicConsumeByWho:
		return "Get on Topic:*"
	case remoting.GetConsumerConnectionList, remoting.GetConsumerRunningInfo, remoting.GetConsumerListByGroup:
		return "Get on Group:*"
	case remoting.GetConsumeStats, remoting.QueryConsumeTimeSpan:
		return "Get on Topic:* and Group:*"
	case remoting.GetProducerConnectionList, remoting.GetAllProducerInfo, remoting.ViewBrokerStatsData, remoting.GetBrokerConsumeStats:
		return "Get on Cluster:*"
	default:
		return ""
	}
}

// missingRight is the right that a broker has found missing, which it names: a
// request may need several, and a retry topic is its group's. It is about all
// resources of a kind: names would have no end.
func missingRight(code remoting.RequestCode, err error) string {
	if refused, ok := errors.AsType[*remoting.ResponseError](err); ok {
		_, resource, _ := strings.Cut(refused.Remark, " has no permission to access ")
		for _, kind := range []string{"Topic", "Group", "Cluster"} {
			if strings.HasPrefix(resource, kind+":") {
				return "Get on " + kind + ":*"
			}
		}
	}
	return rightOf(code)
}

// denials are what the brokers of a cluster deny, in the order of the requests'
// names.
func (s *Source) denials(c *cluster) []model.Denial {
	var list []model.Denial
	for d, n := range s.client.denials(c.hasProcess) {
		d.Count = n
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b model.Denial) int {
		return cmp.Or(strings.Compare(a.Request, b.Request), strings.Compare(a.Right, b.Right))
	})
	return list
}

func (c *cluster) hasProcess(addr string) bool {
	for _, b := range c.brokers {
		if b.procs[addr] != nil {
			return true
		}
	}
	return false
}
