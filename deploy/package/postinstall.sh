#!/bin/sh
# Nothing is started at the first installation: the exporter has to be told where
# RocketMQ is. After an upgrade it goes on with the new binary, if it was running.
#
# dpkg says "configure" and the version before, rpm the number of versions.
set -e
case "$1:$2" in
configure: | 1:)
	echo 'rocketmq-exporter: say in /etc/default/rocketmq_exporter where RocketMQ is, and then'
	echo '  systemctl enable --now rocketmq_exporter'
	upgrade= ;;
*) upgrade=yes ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	if [ -n "$upgrade" ]; then
		systemctl try-restart rocketmq_exporter.service || echo 'rocketmq-exporter: it did not start again, see: journalctl -u rocketmq_exporter' >&2
	fi
fi
