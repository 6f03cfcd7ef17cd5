package fakemq

import (
	"fmt"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// The requests that only the fake and RocketMQ's own tools know by name.
const (
	heartBeat            remoting.RequestCode = 34  // HEART_BEAT
	unregisterClient     remoting.RequestCode = 35  // UNREGISTER_CLIENT
	getAllDelayOffset    remoting.RequestCode = 45  // GET_ALL_DELAY_OFFSET
	getTimerMetrics      remoting.RequestCode = 61  // GET_TIMER_METRICS
	getSystemTopicsNS    remoting.RequestCode = 304 // GET_SYSTEM_TOPIC_LIST_FROM_NS
	getTopicConfig       remoting.RequestCode = 351 // GET_TOPIC_CONFIG
	getBrokerMemberGroup remoting.RequestCode = 901 // GET_BROKER_MEMBER_GROUP
)

// handler answers one request of one node. It runs under the cluster's read
// lock.
type handler func(n *Node, req *remoting.Command, a *answer)

// answer fills in what the node truly answers.
func (n *Node) answer(req *remoting.Command, a *answer) {
	code := remoting.RequestCode(req.Code)
	if n.broker != nil && code == remoting.GetConsumerRunningInfo {
		if !n.waitForClient(req, a) {
			return
		}
	}
	h := n.handler(code)
	if h == nil {
		// The leading blank is RocketMQ's own.
		a.refuse(remoting.RequestCodeNotSupported, fmt.Sprintf(" request type %d not supported", req.Code))
		return
	}
	n.mq.mu.RLock()
	defer n.mq.mu.RUnlock()
	h(n, req, a)
}

func (n *Node) handler(code remoting.RequestCode) handler {
	switch {
	case n.broker == nil:
		return nameServerHandler(code, n.release)
	case n.release.five():
		if h := brokerHandler5(code); h != nil {
			return h
		}
	}
	return brokerHandler(code)
}

// nameServerHandler follows DefaultRequestProcessor of the name server.
func nameServerHandler(code remoting.RequestCode, r Release) handler {
	switch code {
	case remoting.GetRouteInfoByTopic:
		return answerRoute
	case remoting.GetBrokerClusterInfo:
		return answerClusters
	case remoting.GetAllTopicListFromNameSrv:
		return answerAllTopics
	case remoting.GetTopicsByCluster:
		return answerClusterTopics
	case getSystemTopicsNS:
		return answerSystemTopicsNS
	case getBrokerMemberGroup:
		if r.five() {
			return answerMemberGroup
		}
	default:
	}
	return nil
}

// brokerHandler follows AdminBrokerProcessor and ClientManageProcessor.
func brokerHandler(code remoting.RequestCode) handler {
	switch code {
	case remoting.GetAllTopicConfig:
		return answerTopicConfigs
	case remoting.GetBrokerRuntimeInfo:
		return answerRuntime
	case remoting.GetConsumerListByGroup:
		return answerConsumerIDs
	case remoting.GetAllConsumerOffset:
		return answerOffsets
	case getAllDelayOffset:
		return answerDelayOffsets
	case remoting.GetAllSubscriptionGroup:
		return answerGroups
	case remoting.GetTopicStatsInfo:
		return answerTopicStats
	case remoting.GetConsumerConnectionList:
		return answerConnections
	case remoting.GetProducerConnectionList:
		return answerProducer
	case remoting.GetConsumeStats:
		return answerConsumeStats
	case remoting.QueryTopicConsumeByWho:
		return answerWhoConsumes
	case remoting.QueryConsumeTimeSpan:
		return answerTimeSpan
	case remoting.GetSystemTopicListFromBroker:
		return answerSystemTopics
	case remoting.GetConsumerRunningInfo:
		return answerRunningInfo
	case remoting.ViewBrokerStatsData:
		return answerStats
	case remoting.GetBrokerConsumeStats:
		return answerBrokerConsumeStats
	case remoting.GetAllProducerInfo:
		return answerProducers
	case heartBeat, unregisterClient:
		return answerNothing
	default:
		return nil
	}
}

// brokerHandler5 are the requests that came with 5.x.
func brokerHandler5(code remoting.RequestCode) handler {
	switch code {
	case getTimerMetrics:
		return answerTimerMetrics
	case getTopicConfig:
		return answerTopicConfig
	case remoting.GetAllMessageRequestMode:
		return answerRequestModes
	case remoting.GetBrokerHAStatus:
		return answerHAStatus
	default:
		return nil
	}
}

// answerNothing takes note of what changes nothing: clients' and tools'
// heartbeats.
func answerNothing(*Node, *remoting.Command, *answer) {}

// need is the value of a field that a request must have. Without it the answer
// is what RemotingCommand.decodeCommandCustomHeader makes of it.
func need(req *remoting.Command, a *answer, key string) (string, bool) {
	v, ok := req.Field(key)
	if !ok {
		a.refuse(remoting.SystemError, "RemotingCommandException, the custom field <"+key+"> is null")
	}
	return v, ok
}
