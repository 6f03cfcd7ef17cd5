#!/bin/sh
# Before the files are unpacked: some belong to the user's group.
set -e
if ! getent group rocketmq_exporter >/dev/null; then
	groupadd --system rocketmq_exporter
fi
if ! getent passwd rocketmq_exporter >/dev/null; then
	useradd --system --gid rocketmq_exporter --no-create-home --home-dir /nonexistent \
		--shell /usr/sbin/nologin --comment 'RocketMQ exporter' rocketmq_exporter
fi
