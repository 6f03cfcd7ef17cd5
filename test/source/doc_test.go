// Package source tests what the direct source says of a real RocketMQ beyond the
// backlog, against what its admin client says, on every release that differs; and
// that the fake of each release speaks as the real one does.
package source
