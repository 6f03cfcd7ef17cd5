package remoting

import "strconv"

// RequestCode is the code of a request, as RocketMQ's class RequestCode
// numbers it.
type RequestCode int32

// The requests that this module knows by name. Every one of them only reads.
// Requests that sound like reads and write (11 and 352 create unknown groups,
// 308 deletes offsets, 322 keeps a dead broker alive at the name server) are
// left out on purpose.
const (
	GetAllTopicConfig            RequestCode = 21  // GET_ALL_TOPIC_CONFIG
	GetBrokerRuntimeInfo         RequestCode = 28  // GET_BROKER_RUNTIME_INFO
	GetConsumerListByGroup       RequestCode = 38  // GET_CONSUMER_LIST_BY_GROUP
	GetAllConsumerOffset         RequestCode = 43  // GET_ALL_CONSUMER_OFFSET
	GetRouteInfoByTopic          RequestCode = 105 // GET_ROUTEINFO_BY_TOPIC
	GetBrokerClusterInfo         RequestCode = 106 // GET_BROKER_CLUSTER_INFO
	GetAllSubscriptionGroup      RequestCode = 201 // GET_ALL_SUBSCRIPTIONGROUP_CONFIG
	GetTopicStatsInfo            RequestCode = 202 // GET_TOPIC_STATS_INFO
	GetConsumerConnectionList    RequestCode = 203 // GET_CONSUMER_CONNECTION_LIST
	GetProducerConnectionList    RequestCode = 204 // GET_PRODUCER_CONNECTION_LIST
	GetAllTopicListFromNameSrv   RequestCode = 206 // GET_ALL_TOPIC_LIST_FROM_NAMESERVER
	GetConsumeStats              RequestCode = 208 // GET_CONSUME_STATS
	GetTopicsByCluster           RequestCode = 224 // GET_TOPICS_BY_CLUSTER
	QueryTopicConsumeByWho       RequestCode = 300 // QUERY_TOPIC_CONSUME_BY_WHO
	QueryConsumeTimeSpan         RequestCode = 303 // QUERY_CONSUME_TIME_SPAN
	GetSystemTopicListFromBroker RequestCode = 305 // GET_SYSTEM_TOPIC_LIST_FROM_BROKER
	GetConsumerRunningInfo       RequestCode = 307 // GET_CONSUMER_RUNNING_INFO
	ViewBrokerStatsData          RequestCode = 315 // VIEW_BROKER_STATS_DATA
	GetBrokerConsumeStats        RequestCode = 317 // GET_BROKER_CONSUME_STATS
	GetAllProducerInfo           RequestCode = 328 // GET_ALL_PRODUCER_INFO
	GetAllMessageRequestMode     RequestCode = 402 // GET_ALL_MESSAGE_REQUEST_MODE
	GetBrokerHAStatus            RequestCode = 907 // GET_BROKER_HA_STATUS
)

// String is the name that RocketMQ's RequestCode gives the request, or its
// number where this package has no name for it.
func (c RequestCode) String() string {
	switch c {
	case GetAllTopicConfig:
		return "GET_ALL_TOPIC_CONFIG"
	case GetBrokerRuntimeInfo:
		return "GET_BROKER_RUNTIME_INFO"
	case GetConsumerListByGroup:
		return "GET_CONSUMER_LIST_BY_GROUP"
	case GetAllConsumerOffset:
		return "GET_ALL_CONSUMER_OFFSET"
	case GetRouteInfoByTopic:
		return "GET_ROUTEINFO_BY_TOPIC"
	case GetBrokerClusterInfo:
		return "GET_BROKER_CLUSTER_INFO"
	case GetAllSubscriptionGroup:
		return "GET_ALL_SUBSCRIPTIONGROUP_CONFIG"
	case GetTopicStatsInfo:
		return "GET_TOPIC_STATS_INFO"
	case GetConsumerConnectionList:
		return "GET_CONSUMER_CONNECTION_LIST"
	case GetProducerConnectionList:
		return "GET_PRODUCER_CONNECTION_LIST"
	case GetAllTopicListFromNameSrv:
		return "GET_ALL_TOPIC_LIST_FROM_NAMESERVER"
	case GetConsumeStats:
		return "GET_CONSUME_STATS"
	case GetTopicsByCluster:
		return "GET_TOPICS_BY_CLUSTER"
	case QueryTopicConsumeByWho:
		return "QUERY_TOPIC_CONSUME_BY_WHO"
	case QueryConsumeTimeSpan:
		return "QUERY_CONSUME_TIME_SPAN"
	case GetSystemTopicListFromBroker:
		return "GET_SYSTEM_TOPIC_LIST_FROM_BROKER"
	case GetConsumerRunningInfo:
		return "GET_CONSUMER_RUNNING_INFO"
	case ViewBrokerStatsData:
		return "VIEW_BROKER_STATS_DATA"
	case GetBrokerConsumeStats:
		return "GET_BROKER_CONSUME_STATS"
	case GetAllProducerInfo:
		return "GET_ALL_PRODUCER_INFO"
	case GetAllMessageRequestMode:
		return "GET_ALL_MESSAGE_REQUEST_MODE"
	case GetBrokerHAStatus:
		return "GET_BROKER_HA_STATUS"
	}
	return "request " + strconv.Itoa(int(c))
}

// ResponseCode is the code of an answer, as RocketMQ's classes
// RemotingSysResponseCode and ResponseCode number it.
type ResponseCode int32

// The answer codes that a reader of backlog meets.
const (
	Success                 ResponseCode = 0
	SystemError             ResponseCode = 1 // also every refusal of ACL 1.0
	SystemBusy              ResponseCode = 2
	RequestCodeNotSupported ResponseCode = 3
	NoPermission            ResponseCode = 16 // every refusal of ACL 2.0
	TopicNotExist           ResponseCode = 17
	QueryNotFound           ResponseCode = 22
	SubscriptionGroupAbsent ResponseCode = 26 // SUBSCRIPTION_GROUP_NOT_EXIST
	InvalidParameter        ResponseCode = 29
	ConsumerNotOnline       ResponseCode = 206
	ConsumeMsgTimeout       ResponseCode = 207 // the client did not answer the broker in time
	FlowControl             ResponseCode = 215
	GoAway                  ResponseCode = 1500 // the server is shutting down
)

// String is RocketMQ's name of the code, or its number where this package has
// no name for it.
func (c ResponseCode) String() string {
	switch c {
	case Success:
		return "SUCCESS"
	case SystemError:
		return "SYSTEM_ERROR"
	case SystemBusy:
		return "SYSTEM_BUSY"
	case RequestCodeNotSupported:
		return "REQUEST_CODE_NOT_SUPPORTED"
	case NoPermission:
		return "NO_PERMISSION"
	case TopicNotExist:
		return "TOPIC_NOT_EXIST"
	case QueryNotFound:
		return "QUERY_NOT_FOUND"
	case SubscriptionGroupAbsent:
		return "SUBSCRIPTION_GROUP_NOT_EXIST"
	case InvalidParameter:
		return "INVALID_PARAMETER"
	case ConsumerNotOnline:
		return "CONSUMER_NOT_ONLINE"
	case ConsumeMsgTimeout:
		return "CONSUME_MSG_TIMEOUT"
	case FlowControl:
		return "FLOW_CONTROL"
	case GoAway:
		return "GO_AWAY"
	}
	return "code " + strconv.Itoa(int(c))
}
