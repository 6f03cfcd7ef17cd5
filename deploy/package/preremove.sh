#!/bin/sh
# dpkg says "upgrade" and rpm 1 where a new version follows: then it runs on.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now rocketmq_exporter.service
	fi
	;;
esac
