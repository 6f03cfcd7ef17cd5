package model

import "strings"

// SplitClientID parts a client's id into the values of the labels
// consumerClientIP and consumerClientPID. In front of the first '@' stands the
// IP (a host name for gRPC clients), behind it, up to '#' or a further '@',
// the process: a PID or the instance name that the application set
// (ClientConfig.buildMQClientId, ClientConfig.changeInstanceNameToPID). The
// nanotime behind '#' changes at each restart and is left out.
func SplitClientID(id string) (ip, pid string) {
	ip, rest, _ := strings.Cut(id, "@")
	if i := strings.IndexAny(rest, "#@"); i >= 0 {
		rest = rest[:i]
	}
	return ip, rest
}
