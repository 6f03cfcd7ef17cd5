package fakemq

import "fmt"

// Release is the release of RocketMQ whose answers are given.
type Release string

// The releases that are known to the byte.
const (
	Release497 Release = "4.9.7"
	Release550 Release = "5.5.0"
)

func (r Release) check() error {
	if r != Release497 && r != Release550 {
		return fmt.Errorf("release %q: known are %s and %s", string(r), Release497, Release550)
	}
	return nil
}

// five says whether answers have the shape of 5.x.
func (r Release) five() bool { return r == Release550 }

// version is the ordinal that stands in each header (MQVersion).
func (r Release) version() int32 {
	if r.five() {
		return 513
	}
	return 407
}

// desc is how brokers and clients write the release (MQVersion.getVersionDesc).
func (r Release) desc() string {
	if r.five() {
		return "V5_5_0"
	}
	return "V4_9_7"
}

// faq is where the name server sends those who ask for an unknown topic
// (FAQUrl).
func (r Release) faq() string {
	if r.five() {
		return "https://rocketmq.apache.org/docs/bestPractice/06FAQ"
	}
	return "http://rocketmq.apache.org/docs/faq/"
}
