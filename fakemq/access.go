package fakemq

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what RocketMQ checks
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/rocketmq-exporter/rocketmq_exporter/remoting"
)

// Access has brokers check who asks: ACL 2.0 in clusters of 5.x, ACL 1.0 in
// those of 4.x. Name servers check nobody, as in RocketMQ.
type Access struct{ Users []User }

// User is one who may log in.
type User struct {
	AccessKey, SecretKey string
	// Super may do everything: a super user of ACL 2.0, an admin of ACL 1.0.
	Super bool
	// Disabled may not log in; ACL 2.0 alone knows that.
	Disabled bool
	// Policies are what others may do. ACL 1.0 has no policies: of what the
	// fake answers only GET_CONSUMER_LIST_BY_GROUP asks it for a right, Sub on
	// the group.
	Policies []Policy
}

// Policy lets a user do something, or denies it.
type Policy struct {
	// Resource is Cluster:NAME, Topic:NAME or Group:NAME; a name may end in *,
	// or be * alone.
	Resource string
	Actions  []string // Get, Sub and so on
	Deny     bool
}

// SetAccess changes who may ask for what; nil has nobody checked.
func (c *Cluster) SetAccess(a *Access) { c.access.Store(a) }

// right is what a request needs: one of the actions on the resource.
type right struct {
	resource string
	actions  []string
}

// letIn checks who asks, and fills in the refusal.
func (n *Node) letIn(from net.Addr, req *remoting.Command, a *answer) bool {
	access := n.mq.access.Load()
	if access == nil || n.broker == nil {
		return true
	}
	if n.release.five() {
		if words := access.refuse2(n.broker.cluster, from, req); words != "" {
			a.refuse(remoting.NoPermission, words)
			return false
		}
		return true
	}
	if words := access.refuse1(req); words != "" {
		a.refuse(remoting.SystemError, "org.apache.rocketmq.acl.common.AclException: "+words)
		return false
	}
	return true
}

func (a *Access) user(key string) *User {
	for i := range a.Users {
		if a.Users[i].AccessKey == key {
			return &a.Users[i]
		}
	}
	return nil
}

// refuse2 is what ACL 2.0 has against a request (DefaultAuthenticationHandler,
// DefaultAuthorizationContextBuilder, AclAuthorizationHandler); empty is
// nothing.
func (a *Access) refuse2(cluster string, from net.Addr, req *remoting.Command) string {
	key, _ := req.Field("AccessKey")
	user := a.user(key)
	switch {
	case key == "":
		return "username cannot be null."
	case user == nil:
		return "User:" + key + " is not found."
	case user.Disabled:
		return "User:" + key + " is disabled."
	case !user.signed(req):
		return "check signature failed."
	case user.Super:
		return ""
	}
	for _, r := range rights2(cluster, req) {
		if why := user.denies(r); why != "" {
			host, _, _ := net.SplitHostPort(from.String())
			return fmt.Sprintf("User:%s has no permission to access %s from %s, %s", key, r.resource, host, why)
		}
	}
	return ""
}

// rights2 are the rights that a request needs, in the order in which they are
// checked: that of the annotated fields of its header class.
func rights2(cluster string, req *remoting.Command) []right {
	get := []string{"Get"}
	of := func(kind, field string) []right {
		var list []right
		text, _ := req.Field(field)
		for name := range strings.SplitSeq(text, ";") {
			if name != "" {
				list = append(list, right{resource2(kind, name), get})
			}
		}
		return list
	}
	switch remoting.RequestCode(req.Code) {
	case remoting.GetProducerConnectionList, remoting.ViewBrokerStatsData, remoting.GetBrokerConsumeStats, remoting.GetAllProducerInfo:
		return []right{{"Cluster:" + cluster, get}}
	case remoting.GetTopicStatsInfo, remoting.QueryTopicConsumeByWho, getTopicConfig:
		return of("Topic", "topic")
	case remoting.GetConsumerConnectionList, remoting.GetConsumerRunningInfo:
		return of("Group", "consumerGroup")
	case remoting.GetConsumerListByGroup:
		group, _ := req.Field("consumerGroup")
		return []right{{"Group:" + group, []string{"Sub", "Get"}}}
	case remoting.GetConsumeStats:
		return slices.Concat(of("Group", "consumerGroup"), of("Topic", "topic"), of("Topic", "topicList"))
	case remoting.QueryConsumeTimeSpan:
		return slices.Concat(of("Topic", "topic"), of("Group", "group"))
	default:
		return nil
	}
}

// resource2 is the resource that stands for a name: a retry topic is its
// group's.
func resource2(kind, name string) string {
	if group, ok := strings.CutPrefix(name, "%RETRY%"); ok && kind == "Topic" {
		return "Group:" + group
	}
	return kind + ":" + name
}

// denies says why the user lacks a right: the policy that fits best decides, and
// of two alike the one that denies.
func (u *User) denies(r right) string {
	best, denied := -1, true
	for _, p := range u.Policies {
		fit := p.fit(r)
		switch {
		case fit > best:
			best, denied = fit, p.Deny
		case fit == best && fit >= 0:
			denied = denied || p.Deny
		}
	}
	switch {
	case best < 0:
		return "no matched policies."
	case denied:
		return "the decision is deny."
	}
	return ""
}

// fit is how well a policy fits: -1 not at all, more for a longer prefix, most
// for the very name.
func (p *Policy) fit(r right) int {
	if !slices.ContainsFunc(p.Actions, func(action string) bool { return slices.Contains(r.actions, action) || action == "All" }) {
		return -1
	}
	prefix, open := strings.CutSuffix(p.Resource, "*")
	switch {
	case open && strings.HasPrefix(r.resource, prefix):
		return len(prefix)
	case p.Resource == r.resource:
		return len(r.resource) + 1
	}
	return -1
}

// refuse1 is what ACL 1.0 has against a request, with the line of its source as
// exceptionSimpleDesc writes it (PlainPermissionManager of 4.9.7).
func (a *Access) refuse1(req *remoting.Command) string {
	const in = ", org.apache.rocketmq.acl.plain.PlainPermissionManager."
	key, ok := req.Field("AccessKey")
	if !ok {
		return "No accessKey is configured" + in + "validate(PlainPermissionManager.java:663)"
	}
	user := a.user(key)
	switch {
	case user == nil:
		return "No acl config for " + key + in + "validate(PlainPermissionManager.java:667)"
	case !user.signed(req):
		return "Check signature failed for accessKey=" + key + in + "validate(PlainPermissionManager.java:683)"
	case user.Super:
		return ""
	}
	if remoting.RequestCode(req.Code) == remoting.GetConsumerListByGroup {
		group, _ := req.Field("consumerGroup")
		if user.denies(right{"Group:" + group, []string{"Sub"}}) != "" {
			return "No default permission for group:" + group + in + "checkPerm(PlainPermissionManager.java:605)"
		}
	}
	return ""
}

// signed checks the signature: of the values of all other fields in the order of
// their keys, and of the body (AclUtils.combineRequestContent).
func (u *User) signed(req *remoting.Command) bool {
	fields := make(map[string]string, len(req.Fields))
	for _, f := range req.Fields {
		fields[f.Key] = f.Value
	}
	given := fields["Signature"]
	delete(fields, "Signature")
	mac := hmac.New(sha1.New, []byte(u.SecretKey))
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		_, _ = mac.Write([]byte(fields[key]))
	}
	_, _ = mac.Write(req.Body)
	return hmac.Equal([]byte(given), []byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))))
}
