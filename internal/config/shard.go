package config

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// indexAuto has the index come from the name of the pod.
const indexAuto = "auto"

// shardIndex is a number, or indexAuto, which becomes unnumbered.
type shardIndex struct{ single }

func (shardIndex) word() string    { return "number" }
func (shardIndex) allowed() string { return "0 to `shard.total` less 1, or `" + indexAuto + "`" }

// unnumbered stands for an index that is still to be found.
const unnumbered = -1

func (k shardIndex) read(said []string, field any) error {
	s, err := one(said)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(s)
	switch {
	case s == indexAuto:
		n = unnumbered
	case err != nil || n < 0:
		return fmt.Errorf("%q is not allowed: allowed are 0 to shard.total less 1, and auto", s)
	}
	*field.(*int) = n //nolint:forcetypeassert // the table and its test
	return nil
}

// envPod is the variable with the pod's name, as Kubernetes' downward API is
// usually asked for it.
const envPod = "POD_NAME"

// chooseShard finds the index where it is to come from the name of the pod: the
// pods of a StatefulSet are called NAME-0, NAME-1 and so on, and their hosts too.
func (r *reading) chooseShard() {
	s := &r.config.Shard
	if r.isWrong(keyShardIndex) || r.isWrong(keyShardTotal) {
		return
	}
	if s.Index == unnumbered {
		s.Index = 0
		if s.Total <= 1 {
			return
		}
		name := r.podName()
		m := regexp.MustCompile(`-(\d+)$`).FindStringSubmatch(name)
		if m == nil {
			r.about(keyShardIndex, ": it is to come from the name of the pod, in %s, or of the host: %q does not end in a dash and a number", envPod, name)
			return
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n >= s.Total {
			r.about(keyShardIndex, ": %q is shard %s: with %s=%d allowed are 0 to %d", name, m[1], r.short(keyShardTotal), s.Total, s.Total-1)
			return
		}
		s.Index = n
		return
	}
	if s.Index >= s.Total {
		r.about(keyShardIndex, ": %d is out of bounds: with %s=%d allowed are 0 to %d", s.Index, r.short(keyShardTotal), s.Total, s.Total-1)
	}
}

// podName is the name of the pod, or else of the host.
func (r *reading) podName() string {
	if name := r.Getenv(envPod); name != "" || r.Hostname == nil {
		return name
	}
	name, err := r.Hostname()
	if err != nil {
		r.about(keyShardIndex, ": %w", os.NewSyscallError("hostname", err))
	}
	return name
}
