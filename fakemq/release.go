package fakemq

import (
	"fmt"
	"strings"
)

// Release is the release of RocketMQ whose answers are given.
type Release string

// The releases that are known: 4.9.7 and 5.5.0 to the byte, and 5.1.4, which has
// POP and replication as 5.5.0 has and no ends in bulk, by its sources.
const (
	Release497 Release = "4.9.7"
	Release514 Release = "5.1.4"
	Release550 Release = "5.5.0"
)

// Releases are all of them, the oldest first.
func Releases() []Release { return []Release{Release497, Release514, Release550} }

// The ordinals of releases that changed an answer (MQVersion).
const (
	firstOfFive = 413 // 5.0.0
	version530  = 473 // 5.3.0: stats of queues that are only read
	version532  = 477 // 5.3.2: ends in bulk
	version540  = 493 // 5.4.0: pages
	version550  = 513
)

func (r Release) check() error {
	if r.version() == 0 {
		return fmt.Errorf("release %q: known are %s, %s and %s", string(r), Release497, Release514, Release550)
	}
	return nil
}

// five says whether answers have the shape of 5.x.
func (r Release) five() bool { return r.since(firstOfFive) }

// since says whether the release is that with the ordinal, or a later one.
func (r Release) since(version int32) bool { return r.version() >= version }

// version is the ordinal that stands in each header (MQVersion).
func (r Release) version() int32 {
	switch r {
	case Release497:
		return 407
	case Release514:
		return 441
	case Release550:
		return version550
	}
	return 0
}

// desc is how brokers and clients write the release (MQVersion.getVersionDesc).
func (r Release) desc() string { return "V" + strings.ReplaceAll(string(r), ".", "_") }

// faq is where the name server sends those who ask for an unknown topic
// (FAQUrl).
func (r Release) faq() string {
	if r.five() {
		return "https://rocketmq.apache.org/docs/bestPractice/06FAQ"
	}
	return "http://rocketmq.apache.org/docs/faq/"
}
